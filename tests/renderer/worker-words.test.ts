import { describe, expect, it } from 'vitest';
import { connectCommand } from '../../src-renderer/views/workers/connect-command';
import { isWarning, lineText } from '../../src-renderer/views/workers/output-lines';
import { conditionOf, exitWords, queueWords, whyWords } from '../../src-renderer/views/workers/worker-words';
import { ago, NOON, observed, processOf, runningTask, workerOf } from './fleet';

describe('the condition of a worker', () => {
  const of = (...seen: Parameters<typeof observed>) => conditionOf(observed(...seen), NOON);

  it('follows its heartbeat: idle, busy, quiet, stopping', () => {
    expect(of(workerOf('w'))).toBe('idle');
    expect(of(workerOf('w', { running: [runningTask(1)] }))).toBe('busy');
    expect(of(workerOf('w', { state: 'quiet', running: [runningTask(1)] }))).toBe('quiet');
    expect(of(workerOf('w', { state: 'stopping' }))).toBe('stopping');
    expect(of(workerOf('w'), { process: processOf('w', { state: 'stopping' }) })).toBe('stopping');
  });

  it('is starting until it tells of itself, and crashed while its pool waits to start it again', () => {
    expect(of(null, { process: processOf('w', { state: 'starting' }) })).toBe('starting');
    expect(of(null, { process: processOf('w') })).toBe('starting');
    expect(of(workerOf('w'), { process: processOf('w', { state: 'waiting' }) })).toBe('waiting');
  });

  it('is silent after 8 s without a heartbeat, whatever the last one told', () => {
    expect(of(workerOf('w', { blocked: true }), { silentMs: 8000 })).toBe('blocked');
    expect(of(workerOf('w', { blocked: true }), { silentMs: 8001 })).toBe('stale');
  });

  it('is not fetching only with a free slot, and not before it could have begun', () => {
    const deaf = { fetching: false, last_fetch_at: ago(372) };
    expect(of(workerOf('w', deaf))).toBe('not_fetching');
    expect(of(workerOf('w', { ...deaf, running: [runningTask(1)] }))).toBe('not_fetching');
    expect(of(workerOf('w', { ...deaf, running: [runningTask(1), runningTask(2)] }))).toBe('busy');
    expect(of(workerOf('w', { ...deaf, last_fetch_at: null, started_at: ago(15) }))).toBe('idle');
    const old = workerOf('w'); // of a version that does not tell
    delete old.fetching;
    expect(of(old)).toBe('idle');
  });

  it('is said in a sentence with its numbers', () => {
    const deaf = workerOf('w', { fetching: false, last_fetch_at: ago(372) });
    expect(whyWords(observed(deaf), NOON).lead).toBe('Heartbeat is fresh, but it last asked for work 6m 12s ago.');
    expect(whyWords(observed(workerOf('w'), { silentMs: 9000 }), NOON).lead).toBe('No heartbeat for 9.0 s.');
    const full = workerOf('w', { running: [runningTask(1), runningTask(2)] });
    expect(whyWords(observed(full), NOON)).toEqual({
      lead: '2 tasks in 2 slots.',
      rest: 'All slots are taken: it asks again when one is free.',
    });
    const crashed = processOf('w', { state: 'waiting', restarts: 2 });
    expect(whyWords(observed(null, { process: crashed }), NOON).rest).toContain('after 2 restarts so far');
  });
});

it('names how a process ended', () => {
  const end = { at: ago(1), worker_id: 'w', running: [], code: null, signal: null, reason: '' };
  expect(exitWords({ ...end, code: 3, reason: 'exited with code 3' })).toBe('code 3');
  expect(exitWords({ ...end, signal: 'SIGKILL', reason: 'killed by SIGKILL' })).toBe('SIGKILL');
  expect(exitWords({ ...end, code: 2, reason: 'did not start: two handlers for email' })).toBe('did not start');
});

it('names queues with their share', () => {
  expect(
    queueWords([
      { name: 'emails', weight: 3 },
      { name: '*', weight: 1 },
    ]),
  ).toBe('emails ×3, every queue');
});

it('tells log records in words and leaves what a handler prints as it is', () => {
  const record = JSON.stringify({
    level: 'warn',
    time: 'x',
    worker: 'w',
    msg: 'lease lost',
    task: 'T',
    n: 2,
    types: ['a', 'b'],
  });
  expect(lineText(record)).toBe('lease lost · task T · n 2 · types 2');
  expect(isWarning(record)).toBe(true);
  for (const printed of ['hello', '{not json', '{"level":1}', 'null']) {
    expect(lineText(printed)).toBe(printed);
    expect(isWarning(printed)).toBe(false);
  }
});

describe('the command line of a worker elsewhere', () => {
  const profile = {
    name: null,
    environment: null,
    topology: 'standalone' as const,
    tls: false,
    redis: '10.0.0.5:6379',
    database: 2,
    owned: false,
    prefix: 'mr',
  };

  it('names the Redis, and the prefix only where it is another', () => {
    expect(connectCommand(profile)).toBe("millrace --worker --redis redis://10.0.0.5:6379/2 --queues '*'");
    expect(connectCommand({ ...profile, tls: true, prefix: 'shop' }, 'emails=3')).toBe(
      'millrace --worker --redis rediss://10.0.0.5:6379/2 --prefix shop --queues emails=3',
    );
  });

  it('names sentinels and cluster nodes by their own options', () => {
    const redis = 'a:1,b:2';
    expect(connectCommand({ ...profile, redis, topology: 'sentinel' })).toContain('--redis-sentinels a:1,b:2 ');
    expect(connectCommand({ ...profile, redis, topology: 'cluster', tls: true })).toContain(
      '--redis-cluster a:1,b:2 --redis-tls ',
    );
  });
});
