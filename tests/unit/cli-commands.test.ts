import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newLines } from '#main/cli/logs';
import { sumCounts } from '#queue/contract/queue';
import { AT, CliWorld, ID, operation, problem, task } from '../support/cli-world';
import { queueOf, statsOf } from '../support/wire';

let world: CliWorld;
beforeEach(async () => {
  world = await CliWorld.start();
});
afterEach(() => world.stop());

describe('submit', () => {
  it('sends what was said and prints the task as JSON', async () => {
    world.answers['POST /api/tasks'] = [{ status: 201, body: task({ warnings: ['no live worker'] }) }];
    const args = [
      'submit',
      'email',
      '--payload',
      '{"to":"a@b.c"}',
      '--priority',
      '9',
      '--queue',
      'mails',
      '--tag',
      'a,b',
      '--tag',
      'c',
      '--max-retries',
      '0',
      '--durability',
      'fsync',
    ];
    const { code, out, err } = await world.run(args);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ id: ID, status: 'pending' });
    expect(err).toBe('warning: no live worker\n');
    expect(world.seen).toEqual([
      {
        method: 'POST',
        path: '/api/tasks',
        token: null,
        body: {
          task_type: 'email',
          payload: { to: 'a@b.c' },
          priority: 9,
          queue: 'mails',
          tags: ['a', 'b', 'c'],
          max_retries: 0,
          durability: 'fsync',
        },
      },
    ]);
  });

  it('reads the payload from a file or from standard input', async () => {
    world.answers['POST /api/tasks'] = [{ status: 201, body: task() }];
    writeFileSync(join(world.dir, 'p.json'), '{"from":"file"}');
    await world.run(['submit', 'x', '-p', `@${join(world.dir, 'p.json')}`]);
    await world.run(['submit', 'x', '-p', '-'], { stdin: '{"from":"stdin"}' });
    expect(world.seen.map(({ body }) => body)).toEqual([
      { task_type: 'x', payload: { from: 'file' } },
      { task_type: 'x', payload: { from: 'stdin' } },
    ]);
  });

  it('waits for the end when asked, and fails with the task', async () => {
    world.answers['POST /api/tasks'] = [{ status: 201, body: task() }];
    world.answers[`GET /api/tasks/${ID}`] = [
      { status: 200, body: task({ status: 'processing' }) },
      { status: 200, body: task({ status: 'completed', result: { ok: true } }) },
    ];
    const good = await world.run(['submit', 'email', '--wait']);
    expect(good.code).toBe(0);
    expect(JSON.parse(good.out)).toMatchObject({ status: 'completed', result: { ok: true } });
    world.answers[`GET /api/tasks/${ID}`] = [{ status: 200, body: task({ status: 'failed' }) }];
    const bad = await world.run(['submit', 'email', '-w']);
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.out)).toMatchObject({ status: 'failed' });
  });

  it('ends with 130 when it is interrupted while it waits', async () => {
    world.answers['POST /api/tasks'] = [{ status: 201, body: task() }];
    world.answers[`GET /api/tasks/${ID}`] = [{ status: 200, body: task() }];
    const interrupted = new AbortController();
    interrupted.abort();
    expect((await world.run(['submit', 'email', '--wait'], { interrupted })).code).toBe(130);
  });

  it.each([
    [['submit'], "missing required argument 'type'"],
    [['submit', 'email', '--durability', 'forever'], 'Allowed choices are memory, fsync, replicated'],
    [['submit', 'email', '--priority', '11'], 'must be a whole number from 1 to 10'],
    [['submit', 'email', '--payload', '{'], '--payload: is not JSON'],
    [['submit', 'email', '--payload', '@/no/such'], '--payload: ENOENT'],
    [['submit', 'email', '--prioritty', '1'], "unknown option '--prioritty'"],
    [['sumbit', 'email'], "unknown command 'sumbit'. Did you mean submit?"],
    [['submit', 'email', '--port', 'x'], '--port (APP_PORT): must be'],
    [['submit', 'email', '--api', 'ftp://x'], 'must begin with http'],
    [['--headless', '--worker'], 'exclude each other'],
    [['dlq', 'requeue'], 'say which tasks'],
    [['dlq', 'requeue', ID, '--all'], 'say which tasks'],
    [['dlq', 'purge', '--all'], '--yes'],
  ])('is wrong usage: millrace %j', async (args, message) => {
    const { code, err, out } = await world.run(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
    expect(world.seen).toEqual([]);
  });

  it('tells what the API refuses, field by field', async () => {
    world.answers['POST /api/tasks'] = [
      problem(422, 'The request is not valid', [{ path: 'payload', message: 'must be an object' }]),
    ];
    const { code, err } = await world.run(['submit', 'email', '--payload', '[]']);
    expect(code).toBe(2);
    expect(err).toBe('The request is not valid: because\n  payload: must be an object\n');
  });
});

describe('task, cancel, retry, logs', () => {
  it('print the task as JSON', async () => {
    world.answers[`GET /api/tasks/${ID}`] = [{ status: 200, body: task() }];
    world.answers[`POST /api/tasks/${ID}/cancel`] = [{ status: 202, body: task({ status: 'processing' }) }];
    world.answers[`POST /api/tasks/${ID}/retry`] = [{ status: 200, body: task() }];
    expect(JSON.parse((await world.run(['task', ID])).out).id).toBe(ID);
    expect((await world.run(['cancel', ID])).err).toContain('asked to stop');
    await world.run(['retry', ID, '--payload', '{"a":1}', '--priority', '10']);
    expect(world.seen.at(-1)?.body).toEqual({ payload: { a: 1 }, priority: 10 });
  });

  it('end with 1 for a task that is not there', async () => {
    expect(await world.run(['task', 'nope'])).toEqual({ code: 1, out: '', err: 'No such task: because\n' });
  });

  it('follow the log until the task has ended, each line once', async () => {
    const line = (message: string) => ({ at: AT, level: 'info', message, attempt: 1 });
    world.answers[`GET /api/tasks/${ID}`] = [
      { status: 200, body: task({ status: 'processing' }) },
      { status: 200, body: task({ status: 'processing' }) },
      { status: 200, body: task({ status: 'completed' }) },
    ];
    world.answers[`GET /api/tasks/${ID}/logs`] = [
      { status: 200, body: { logs: [line('one')] } },
      { status: 200, body: { logs: [line('one'), line('two\u001b[31m')] } },
      { status: 200, body: { logs: [line('two\u001b[31m'), line('three')] } },
    ];
    const { code, out } = await world.run(['logs', ID, '--follow']);
    expect(code).toBe(0);
    expect(out.split('\n').filter(Boolean)).toEqual([`${AT} info  one`, `${AT} info  two [31m`, `${AT} info  three`]);
  });

  it('know new lines from old ones when old ones have fallen away', () => {
    const line = (message: string) => ({ at: AT, level: 'info' as const, message, attempt: 1 });
    const [a, b, c] = [line('a'), line('b'), line('c')];
    expect(newLines([], [a])).toEqual([a]);
    expect(newLines([a, b], [a, b])).toEqual([]);
    expect(newLines([a, b], [b, c])).toEqual([c]);
    expect(newLines([a], [b, c])).toEqual([b, c]);
    expect(newLines([a, a], [a, a, a])).toEqual([a]);
  });
});

describe('lists', () => {
  it('are tables for people and JSON for programs', async () => {
    const page = { tasks: [task({ name: 'hello\nworld' })], next_cursor: 'c2', total: 7, total_exact: true };
    world.answers['GET /api/tasks'] = [{ status: 200, body: page }];
    const people = await world.run(['tasks', '--status', 'pending,failed', '--queue', 'default', '--limit', '1']);
    expect(people.out.split('\n')[0]).toMatch(/^ID +TYPE +QUEUE +STATUS/);
    expect(people.out).toContain('hello world');
    expect(people.err).toBe('1 of 7; more: --cursor c2\n');
    expect(world.seen[0]?.path).toBe('/api/tasks?queue=default&status=pending%2Cfailed&limit=1');
    expect(JSON.parse((await world.run(['tasks', '--json'])).out)).toEqual(page);
  });

  it('show queues and workers', async () => {
    const depth = { ...sumCounts([]), pending: 12, processing: 1 };
    world.answers['GET /api/queues'] = [
      {
        status: 200,
        body: {
          queues: [
            queueOf('mails', {
              paused: true,
              depth,
              oldest_pending_age: 75,
              rate_in: 1,
              rate_out: 2,
              eta_seconds: 12,
              workers: 1,
            }),
          ],
        },
      },
    ];
    expect((await world.run(['queues'])).out).toMatch(/mails +paused +12 +1 .*1m 15s +1\.0 +2\.0 +12s +1\n$/);
    world.answers['GET /api/workers'] = [{ status: 200, body: { workers: [] } }];
    expect((await world.run(['workers'])).out).toMatch(/^ID +HOST/);
  });

  it('show the totals, again and again when asked, until interrupted', async () => {
    const counts = { ...sumCounts([]), pending: 3, completed: 4 };
    const body = statsOf({ total: 7, ...counts, workers: 1, throughput_per_second: 2 });
    world.answers['GET /api/tasks/stats/overview'] = [{ status: 200, body }];
    expect((await world.run(['stats'])).out).toMatch(/pending +3\n/);
    const interrupted = new AbortController();
    let looks = 0;
    const watched = await world.run(['stats', '--watch', '--json'], {
      interrupted,
      onOut: () => {
        if (++looks === 3) interrupted.abort();
      },
    });
    expect(watched.code).toBe(130);
    expect(
      watched.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).total),
    ).toEqual([7, 7, 7]);
  });
});

describe('the dead-letter queue', () => {
  it('is listed and grouped', async () => {
    const error = { name: 'TypeError', message: 'x is not a function', stack: null, fingerprint: 'abcd1234', at: AT };
    world.answers['GET /api/dlq'] = [
      {
        status: 200,
        body: {
          tasks: [task({ status: 'failed', error, finished_at: AT })],
          next_cursor: null,
          total: 1,
          total_exact: true,
        },
      },
    ];
    expect((await world.run(['dlq', 'list', '--error', 'abcd1234'])).out).toContain('TypeError: x is not a function');
    expect(world.seen[0]?.path).toBe('/api/dlq?error=abcd1234&limit=50');
    world.answers['GET /api/dlq/groups'] = [
      {
        status: 200,
        body: {
          groups: [
            {
              fingerprint: 'abcd1234',
              error: 'TypeError: x',
              message: 'x',
              top_frame: null,
              series_24h: null,
              sampled: 0,
              task_type: 'email',
              queues: ['a', 'b'],
              count: 5,
              first_at: AT,
              last_at: AT,
              sample_ids: [ID],
            },
          ],
        },
      },
    ];
    expect((await world.run(['dlq', 'groups'])).out).toMatch(/5 +abcd1234 +email +a,b/);
  });

  it('is drained: the operation is followed to its end', async () => {
    world.answers['POST /api/dlq/requeue'] = [{ status: 202, body: operation() }];
    world.answers['GET /api/operations/op-1'] = [
      { status: 200, body: operation({ done: 1 }) },
      { status: 200, body: operation({ done: 2, skipped: 1, state: 'done' }) },
    ];
    const { code, out } = await world.run(['dlq', 'requeue', '--queue', 'mails', '--rate', '10', '--limit', '3']);
    expect([code, out]).toEqual([0, 'op-1 done: 2 of 3 requeued, 1 skipped, 0 failed\n']);
    expect(world.seen[0]?.body).toEqual({ filter: { queue: 'mails' }, rate: 10, limit: 3 });
  });

  it('fails where some of it failed', async () => {
    world.answers['POST /api/dlq/purge'] = [
      { status: 202, body: operation({ state: 'done', done: 2, failed: 1, action: 'delete' }) },
    ];
    expect((await world.run(['dlq', 'purge', ID, '--yes'])).code).toBe(1);
    expect(world.seen[0]?.body).toEqual({ ids: [ID], confirm: true });
  });

  it('leaves the operation to the server when interrupted', async () => {
    world.answers['POST /api/dlq/requeue'] = [{ status: 202, body: operation() }];
    world.answers['GET /api/operations/op-1'] = [{ status: 200, body: operation() }];
    const interrupted = new AbortController();
    const running = world.run(['dlq', 'requeue', '--all'], { interrupted, deps: {} });
    while (!world.seen.some(({ path }) => path.startsWith('/api/operations'))) await new Promise(setImmediate);
    interrupted.abort();
    expect(await running).toMatchObject({ code: 130 });
  });

  it('can be looked at first', async () => {
    world.answers['POST /api/dlq/requeue'] = [
      { status: 200, body: { matched: 2, by_queue: { a: 2 }, by_task_type: {}, by_error: {}, samples: [] } },
    ];
    expect(JSON.parse((await world.run(['dlq', 'requeue', '--all', '--dry-run'])).out).matched).toBe(2);
  });
});
