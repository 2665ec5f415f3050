import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ConnectedEngine } from '#queue/engine/connect';
import type { TaskSpec } from '#queue/engine/ports';
import type { Retention } from '#queue/redis/scripts/prune';
import { claimOne, connectTo, failure, submitAll, taskSpec, workOnce } from '../support/engine';
import { readQueue, violations } from '../support/queue-snapshot';
import { type RedisServer, startRedis } from '../support/redis-server';

const DAY_MS = 86_400_000;
const EPOCH_MS = Date.UTC(2025, 0, 1);
const KEEP_ALL: Retention = {
  count: { completed: 1000, failed: 1000, cancelled: 1000 },
  ageMs: { completed: 0, failed: 0, cancelled: 0 },
  bytes: 0,
};

let server: RedisServer;
let connected: ConnectedEngine;
beforeEach(async () => {
  server = await startRedis();
});
afterEach(async () => {
  await connected?.close();
  await server?.stop();
});

async function connect(retention: Partial<Retention>): Promise<void> {
  connected = connectTo(server, { retention: { ...KEEP_ALL, ...retention } });
  await connected.whenReady(5000);
}

/** With all that an index knows, and a head that a short look does not cover. */
const dressed = (index: number) => ({
  name: `n${index}`,
  tags: ['t', 'long'.repeat(16), ...Array.from({ length: 12 }, (_, n) => `${'x'.repeat(50)}${n}`)],
  owner: 'o',
  payload: JSON.stringify('x'.repeat(1000)),
});

/** Ended tasks, the first the oldest; each one ended `days` ago, as far as its rank says. */
async function ended(
  count: number,
  how: 'complete' | 'dead',
  { days = 1, spec = (index: number): Partial<TaskSpec> => dressed(index) } = {},
): Promise<string[]> {
  const ids = await submitAll(
    connected,
    Array.from({ length: count }, (_, index) => spec(index)),
  );
  const { claimed } = await workOnce(connected, { want: count });
  await workOnce(connected, {
    want: 0,
    settles: claimed.map(({ id, token }) =>
      how === 'complete' ? { kind: 'complete', id, token, result: '1' } : { kind: 'dead', id, token, error: failure() },
    ),
  });
  const set = connected.store.keys.of('default', how === 'complete' ? 'completed' : 'failed');
  await connected.store.command('age', (redis) =>
    Promise.all(ids.map((id, index) => redis.zadd(set, (Date.now() - days * DAY_MS - EPOCH_MS) * 4096 + index, id))),
  );
  return ids;
}

const left = async (ids: readonly string[]) => {
  const tasks = await connected.reader.getTasks(ids);
  return ids.filter((_, index) => tasks[index] !== null);
};

it('keeps the newest completed tasks, and removes the others from everything that knows them', async () => {
  await connect({ count: { completed: 3, failed: 1000, cancelled: 1000 } });
  const ids = await ended(5, 'complete');
  expect((await connected.engine.tick('default')).pruned).toBe(2);
  expect(await left(ids)).toEqual(ids.slice(2));
  for (const filter of [{}, { tag: 't' }, { owner: 'o' }, { task_type: 'noop' }, { q: 'n0' }]) {
    const { tasks } = await connected.reader.listTasks(filter, { limit: 10, cursor: null });
    expect(tasks.map((task) => task.id)).not.toContain(ids[0]);
  }
  const keys = await connected.store.command('look', (redis) => redis.keys(`*${ids[0]}*`));
  expect(keys).toEqual([]);
});

it.each([
  ['a type alone', () => ({})],
  [
    'a time-out and a backoff',
    () => ({ timeoutMs: 1, backoff: { type: 'fixed', baseMs: 1, maxMs: 1, jitter: 0 } as const }),
  ],
  ['a name', () => ({ name: 'Nightly' })],
  ['an owner', () => ({ owner: 'o' })],
  ['a tag', () => ({ tags: ['t'] })],
  ['a later start', () => ({ runAt: 1 })],
] as const)('leaves nothing of a task with %s', async (_, spec) => {
  await connect({ count: { completed: 0, failed: 0, cancelled: 0 } });
  const ids = [...(await ended(2, 'complete', { spec })), ...(await ended(2, 'dead', { spec }))];
  expect((await connected.engine.tick('default')).pruned).toBe(4);
  const keys = await connected.store.command('look', (redis) => redis.keys('*'));
  expect(keys.filter((key) => ids.some((id) => key.includes(id)) || key.includes(':ix:'))).toEqual([]);
  const queue = await connected.store.command('read', (redis) => readQueue(redis, connected.store.keys, 'default'));
  expect(violations(queue)).toEqual([]);
});

it('removes in one pass what has ended since the last one, however much that is', async () => {
  await connect({ count: { completed: 10, failed: 0, cancelled: 0 } });
  for (let n = 0; n < 3; n++) await ended(300, 'complete', { spec: () => ({}) });
  expect((await connected.engine.tick('default')).pruned).toBe(890);
});

it('removes failed tasks that are too old, with their group', async () => {
  await connect({ ageMs: { completed: 0, failed: 2 * DAY_MS, cancelled: 0 } });
  const old = await ended(2, 'dead', { days: 3 });
  expect((await connected.engine.tick('default')).pruned).toBe(2);
  expect(await left(old)).toEqual([]);
  expect(await connected.reader.errorGroups()).toEqual([]);
});

it('removes completed tasks early when the queue holds too many bytes', async () => {
  await connect({ bytes: 3500 });
  const ids = await ended(5, 'complete', { spec: () => ({ payload: JSON.stringify('x'.repeat(1000)) }) });
  await connected.engine.tick('default');
  expect(await left(ids)).toEqual(ids.slice(2));
});

it('keeps what ended just now, and what a repeated submit must find', async () => {
  await connect({ count: { completed: 0, failed: 1000, cancelled: 1000 } });
  const [fresh] = await submitAll(connected, [{}]);
  const task = await claimOne(connected);
  await workOnce(connected, { want: 0, settles: [{ kind: 'complete', id: task.id, token: task.token, result: '1' }] });
  const [outcome] = await connected.engine.submitMany([{ ...taskSpec(), idempotencyKey: 'again', bodyHash: 'h' }]);
  const keyed = await claimOne(connected);
  await workOnce(connected, {
    want: 0,
    settles: [{ kind: 'complete', id: keyed.id, token: keyed.token, result: '1' }],
  });
  const set = connected.store.keys.of('default', 'completed');
  await connected.store.command('age', (redis) => redis.zadd(set, 1, keyed.id));
  expect((await connected.engine.tick('default')).pruned).toBe(0);
  expect(await left([fresh ?? '', keyed.id])).toEqual([fresh, keyed.id]);
  expect(outcome).toMatchObject({ ok: true, id: keyed.id });
});
