import { afterEach, describe, expect, it } from 'vitest';
import { claimOne, failure, submitAll, submitOne, taskSpec, workerBeat, workOnce } from '../support/engine';
import { engineOfFile } from '../support/engine-of-file';
import { readQueue, violations } from '../support/queue-snapshot';

const { connected } = await engineOfFile({ emptied: true });

const statusOf = async (id: string) => (await connected.reader.getTasks([id]))[0]?.status;

describe('a Redis that is full', () => {
  afterEach(async () => {
    await connected.store.command('room', (redis) => redis.call('CONFIG', 'SET', 'maxmemory', '0'));
  });

  it('refuses new tasks, and lets workers come, work and drain it', async () => {
    const ids = await submitAll(connected, [{}, { maxRetries: 0 }, {}]);
    await connected.store.command('fill', (redis) => redis.call('CONFIG', 'SET', 'maxmemory', '1'));
    await expect(connected.engine.submitMany([taskSpec()])).rejects.toMatchObject({ code: 'REDIS_FULL', status: 503 });
    await connected.directory.announceTypes([
      { task_type: 'noop', description: null, payload_schema: null, timeout: null },
    ]);
    await connected.directory.beat(workerBeat('w1', ['noop']));
    const { claimed } = await workOnce(connected, { want: 3 });
    expect(claimed.map((task) => task.id)).toEqual(ids);
    const [a, b, c] = claimed;
    if (!a || !b || !c) throw new Error('three tasks were claimed');
    expect((await connected.engine.extend('default', claimed, 10_000)).lost).toEqual([]);
    const { verdicts } = await workOnce(connected, {
      want: 0,
      settles: [
        { kind: 'complete', id: a.id, token: a.token, result: '1' },
        { kind: 'fail', id: b.id, token: b.token, retryInMs: 0, error: failure() },
        { kind: 'release', id: c.id, token: c.token },
      ],
    });
    expect(verdicts).toEqual(['accepted', 'accepted', 'accepted']);
    await connected.engine.tick('default');
    expect(await Promise.all(claimed.map((task) => statusOf(task.id)))).toEqual(['completed', 'failed', 'pending']);
  });
});

describe('the life of a task', () => {
  it('goes from pending over processing to completed, with its result', async () => {
    const id = await submitOne(connected, { payload: '{"a":"ü"}', name: 'Grüße | ; , %', tags: ['a;b'] });
    expect(await statusOf(id)).toBe('pending');
    const task = await claimOne(connected);
    expect(task).toMatchObject({
      id,
      payload: '{"a":"ü"}',
      attempt: 1,
      maxAttempts: 4,
      name: 'Grüße | ; , %',
      tags: ['a;b'],
    });
    expect(await statusOf(id)).toBe('processing');
    const { verdicts } = await workOnce(connected, {
      want: 0,
      settles: [{ kind: 'complete', id, token: task.token, result: '{"ok":"é"}' }],
    });
    expect(verdicts).toEqual(['accepted']);
    expect((await connected.reader.getTasks([id]))[0]).toMatchObject({
      status: 'completed',
      result: '{"ok":"é"}',
      attempts: 1,
      progress: 100,
      workerId: 'w1',
      error: null,
    });
    expect((await connected.reader.history(id))?.map((item) => item.event)).toEqual([
      'created',
      'started',
      'completed',
    ]);
  });

  it('runs by priority, 10 first, and first in first out within one', async () => {
    const ids = await submitAll(connected, [
      { priority: 5 },
      { priority: 1 },
      { priority: 10 },
      { priority: 5 },
      { priority: 10 },
    ]);
    const { claimed } = await workOnce(connected, { want: 5 });
    expect(claimed.map((task) => ids.indexOf(task.id))).toEqual([2, 4, 0, 3, 1]);
  });

  it('retries a failed attempt when its delay is over, and buries it after the last one', async () => {
    const id = await submitOne(connected, { maxRetries: 1 });
    const first = await claimOne(connected);
    await workOnce(connected, {
      want: 0,
      settles: [{ kind: 'fail', id, token: first.token, retryInMs: 0, error: failure() }],
    });
    expect(await statusOf(id)).toBe('retrying');
    const second = await claimOne(connected);
    expect(second.attempt).toBe(2);
    await workOnce(connected, {
      want: 0,
      settles: [{ kind: 'fail', id, token: second.token, retryInMs: 0, error: failure() }],
    });
    expect((await connected.reader.getTasks([id]))[0]).toMatchObject({
      status: 'failed',
      attempts: 2,
      error: { message: 'boom' },
    });
    expect(await connected.reader.errorGroups()).toMatchObject([
      { fingerprint: 'abcdef12', count: 1, error: 'Error: boom', sampleIds: [id] },
    ]);
  });

  it('refuses a settle under a token that another attempt has replaced', async () => {
    const id = await submitOne(connected);
    const stale = await claimOne(connected);
    await workOnce(connected, { want: 0, settles: [{ kind: 'release', id, token: stale.token }] });
    const current = await claimOne(connected);
    const late = { kind: 'complete', id, token: stale.token, result: '"late"' } as const;
    expect((await workOnce(connected, { want: 0, settles: [late] })).verdicts).not.toEqual(['accepted']);
    expect(await statusOf(id)).toBe('processing');
    const good = { kind: 'complete', id, token: current.token, result: '"good"' } as const;
    expect((await workOnce(connected, { want: 0, settles: [good] })).verdicts).toEqual(['accepted']);
    expect((await workOnce(connected, { want: 0, settles: [good] })).verdicts).toEqual(['already']);
    expect((await connected.reader.getTasks([id]))[0]?.result).toBe('"good"');
  });

  it('answers a repeated work call with the same claims', async () => {
    await submitAll(connected, [{}, {}, {}]);
    const call = { nonce: 'same', want: 2 };
    const first = await workOnce(connected, call);
    const second = await workOnce(connected, call);
    expect(second.claimed.map(({ id, token }) => ({ id, token })).sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(
      first.claimed.map(({ id, token }) => ({ id, token })),
    );
    expect((await connected.reader.queueState('default'))?.counts).toMatchObject({ pending: 1, processing: 2 });
  });

  it('knows a repeated call also when another worker has called in between', async () => {
    await submitAll(connected, [{}, {}]);
    const call = { nonce: 'a-first', want: 1, workerId: 'a' };
    const first = await workOnce(connected, call);
    await workOnce(connected, { nonce: 'b-first', want: 1, workerId: 'b' });
    expect((await workOnce(connected, call)).claimed).toMatchObject([
      { id: first.claimed[0]?.id, token: first.claimed[0]?.token },
    ]);
    expect((await connected.reader.queueState('default'))?.counts).toMatchObject({ pending: 0, processing: 2 });
  });

  it('takes a queue of any allowed name, also one that sounds like ours', async () => {
    for (const queue of ['sys', 'meta', '0', 'a'.repeat(64)]) {
      const id = await submitOne(connected, { queue });
      expect((await claimOne(connected, { queue })).id).toBe(id);
    }
    await connected.directory.announceTypes([
      { task_type: 'noop', description: null, payload_schema: null, timeout: null },
    ]);
    expect(await connected.directory.announcedTypes()).toHaveLength(1);
  });

  it('forgets the lanes of workers that said goodbye, and of those that died', async () => {
    const lanes = async () => {
      const fields = await connected.store.command('look', (redis) =>
        redis.hkeys(connected.store.keys.meta('default')),
      );
      return fields.filter((field) => field.startsWith('lane:')).sort();
    };
    await submitOne(connected);
    await workOnce(connected, { workerId: 'a' });
    await workOnce(connected, { workerId: 'b' });
    expect(await lanes()).toEqual(['lane:a:0', 'lane:b:0']);
    await connected.directory.goodbye({ id: 'a', queues: [{ name: 'default', weight: 1 }] });
    expect(await lanes()).toEqual(['lane:b:0']);
    await connected.store.command('die', (redis) => redis.sadd(connected.store.keys.system('workers'), 'b'));
    await connected.directory.list();
    expect(await lanes()).toEqual([]);
  });

  it('gives a task of a dead worker to another one when its lease is over, and counts the attempt', async () => {
    const id = await submitOne(connected);
    const stale = await claimOne(connected, { leaseMs: 300 });
    await expect
      .poll(
        async () => {
          await connected.engine.tick('default');
          return statusOf(id);
        },
        { interval: 50, timeout: 5000 },
      )
      .toBe('pending');
    const next = await claimOne(connected);
    expect(next.attempt).toBe(2);
    const late = { kind: 'complete', id, token: stale.token, result: '1' } as const;
    expect((await workOnce(connected, { want: 0, settles: [late] })).verdicts).toEqual(['fenced']);
    expect((await connected.engine.extend('default', [stale], 1000)).lost).toEqual([id]);
    expect(
      await connected.engine.report('default', [
        { id, token: stale.token, progress: { percent: 50, message: null }, logs: [] },
      ]),
    ).toEqual([id]);
  });

  it('cancels what waits at once, and asks what runs', async () => {
    const [waiting, running] = await submitAll(connected, [{ priority: 1 }, { priority: 10 }]);
    const task = await claimOne(connected);
    expect(task.id).toBe(running);
    expect(await connected.engine.cancel([waiting ?? '', running ?? '', '01J00000000000000000000000'], 'test')).toEqual(
      ['cancelled', 'asked', 'gone'],
    );
    expect((await connected.engine.extend('default', [task], 10_000)).cancelRequested).toEqual([running]);
    await workOnce(connected, {
      want: 0,
      settles: [{ kind: 'cancelled', id: task.id, token: task.token, reason: 'test' }],
    });
    expect(await statusOf(task.id)).toBe('cancelled');
    expect(await connected.engine.requeue([task.id, waiting ?? ''])).toEqual(['requeued', 'requeued']);
    expect(await statusOf(task.id)).toBe('pending');
  });

  it('leaves tasks of types that nobody serves pending, and returns them when a worker comes', async () => {
    const id = await submitOne(connected, { type: 'exotic' });
    expect((await workOnce(connected)).claimed).toEqual([]);
    expect(await statusOf(id)).toBe('pending');
    await connected.directory.beat(workerBeat('w2', ['exotic']));
    expect((await workOnce(connected, { types: ['exotic'] })).claimed.map((task) => task.id)).toEqual([id]);
  });

  it('repeats of an idempotency key answer the first task; a unique key is held until its task ends', async () => {
    const first = await connected.engine.submitMany([{ ...spec(), idempotencyKey: 'k', bodyHash: 'h' }]);
    const again = await connected.engine.submitMany([
      { ...spec(), idempotencyKey: 'k', bodyHash: 'h' },
      { ...spec(), idempotencyKey: 'k', bodyHash: 'other' },
    ]);
    expect(again[0]).toEqual({ ...first[0], repeated: true });
    expect(again[1]).toMatchObject({ ok: false, error: { code: 'IDEMPOTENCY_CONFLICT' } });
    const id = await submitOne(connected, { uniqueKey: 'u', priority: 10 });
    const [refused] = await connected.engine.submitMany([{ ...spec(), uniqueKey: 'u' }]);
    expect(refused).toMatchObject({ ok: false, error: { code: 'DUPLICATE_UNIQUE_KEY', extra: { task_id: id } } });
    const task = await claimOne(connected);
    await workOnce(connected, {
      want: 0,
      settles: [{ kind: 'complete', id: task.id, token: task.token, result: '1' }],
    });
    await submitOne(connected, { uniqueKey: 'u' });
  });

  it('blocks a task until its dependencies complete, across queues', async () => {
    const parent = await submitOne(connected, { queue: 'other-queue' });
    const child = await submitOne(connected, { dependsOn: [parent] });
    expect(await statusOf(child)).toBe('blocked');
    const task = await claimOne(connected, { queue: 'other-queue' });
    await workOnce(connected, {
      queue: 'other-queue',
      want: 0,
      settles: [{ kind: 'complete', id: parent, token: task.token, result: '1' }],
    });
    await connected.engine.tick('other-queue');
    expect(await statusOf(child)).toBe('pending');
  });

  it('runs an expired task that an operator requeued, and then changed', async () => {
    const late = await submitOne(connected, { expiresAt: 1000 });
    await connected.engine.tick('default');
    expect(await connected.engine.requeue([late])).toEqual(['requeued']);
    expect(await connected.engine.patch(late, { priority: 9 })).toBe('patched');
    expect(await claimOne(connected)).toMatchObject({ id: late, priority: 9 });
  });

  it('fails a task whose dependency is cancelled, and one that expired', async () => {
    const parent = await submitOne(connected);
    const child = await submitOne(connected, { dependsOn: [parent] });
    const grandchild = await submitOne(connected, { dependsOn: [child] });
    await connected.engine.cancel([parent], 'no');
    await connected.engine.tick('default');
    await connected.engine.tick('default');
    expect(
      (await connected.reader.getTasks([child, grandchild])).map((task) => [task?.status, task?.error?.name]),
    ).toEqual([
      ['failed', 'DependencyError'],
      ['failed', 'DependencyError'],
    ]);
    const late = await submitOne(connected, { expiresAt: 1000 });
    await connected.engine.tick('default');
    expect((await connected.reader.getTasks([late]))[0]).toMatchObject({
      status: 'failed',
      error: { name: 'ExpiredError' },
    });
  });

  it('changes what waits, and removes what does not run', async () => {
    const [a, b] = await submitAll(connected, [{ name: 'Alpha', tags: ['x'] }, {}]);
    expect(await connected.engine.patch(b ?? '', { priority: 9, name: 'Beta', tags: ['y'], payload: '{"n":2}' })).toBe(
      'patched',
    );
    const { claimed } = await workOnce(connected);
    expect(claimed[0]).toMatchObject({ id: b, priority: 9, name: 'Beta', payload: '{"n":2}' });
    expect(await connected.engine.patch(b ?? '', { priority: 1 })).toBe('running');
    expect(await connected.engine.remove([a ?? '', b ?? ''])).toEqual(['removed', 'running']);
    expect(await connected.reader.getTasks([a ?? ''])).toEqual([null]);
  });

  it('tells where a changed task is: one that is to run now waits no longer', async () => {
    const id = await submitOne(connected, { runAt: Date.now() + 60_000 });
    expect(await connected.engine.patch(id, { runAt: null })).toBe('patched');
    expect((await connected.reader.getTasks([id]))[0]?.status).toBe('pending');
    const { store } = connected;
    const queue = await store.command('read it all', (redis) => readQueue(redis, store.keys, 'default'));
    expect(violations(queue)).toEqual([]);
    expect(queue.events.at(-1)?.changes).toMatchObject([{ event: 'updated', status: 'pending' }]);
  });

  it('keeps to pause, concurrency and rate', async () => {
    await submitAll(
      connected,
      Array.from({ length: 10 }, () => ({})),
    );
    await connected.engine.pause('default');
    expect((await workOnce(connected, { want: 5 })).claimed).toHaveLength(0);
    await connected.engine.resume('default');
    await connected.engine.setLimits('default', { concurrency: 3 });
    expect((await workOnce(connected, { want: 5 })).claimed).toHaveLength(3);
    expect((await workOnce(connected, { want: 5 })).claimed).toHaveLength(0);
    await connected.engine.setLimits('default', { concurrency: null, rate: { max: 2, perMs: 60_000 } });
    expect((await workOnce(connected, { want: 5 })).claimed).toHaveLength(2);
    const limited = await workOnce(connected, { want: 5 });
    expect(limited.claimed).toHaveLength(0);
    expect(limited.nextDueInMs).toBeGreaterThan(50_000);
  });
});

function spec() {
  return {
    type: 'noop',
    queue: 'default',
    priority: 5,
    payload: '{}',
    name: null,
    maxRetries: 3,
    timeoutMs: 1000,
    backoff: { type: 'fixed' as const, baseMs: 0, maxMs: 0, jitter: 0 },
    runAt: null,
    expiresAt: null,
    dependsOn: [],
    tags: [],
    owner: null,
    idempotencyKey: null as string | null,
    bodyHash: null as string | null,
    uniqueKey: null as string | null,
    durability: null,
  };
}
