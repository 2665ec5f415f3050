/** What hands have done to a queue's keys is found by the upkeep and put right, and a queue that is well is left alone. */
import { describe, expect, it } from 'vitest';
import { type Repairs, repair } from '#queue/redis/scripts/repair';
import { failure, submitAll, submitOne, workOnce } from '../support/engine';
import { engineOfFile } from '../support/engine-of-file';
import { PLACES, type Place, readQueue, violations } from '../support/queue-snapshot';

const NONE: Repairs = { removed: 0, placed: 0, leased: 0, keys: 0 };
const FAR = Date.now() + 86_400_000;
/** No task has it. */
const GHOST = '01JDJ5V0000000000000000000';

const { connected } = await engineOfFile({ emptied: true });

const key = (name: string) => connected.store.keys.of('default', name);
const del = (...names: string[]) => connected.store.command('damage', (redis) => redis.del(...names.map(key)));
const snapshot = () =>
  connected.store.command('read it all', (redis) => readQueue(redis, connected.store.keys, 'default'));
const look = (limit = 200) => connected.store.run(repair, 'default', { limit, everyMs: 0, restMs: 0 });

/** Tasks in every state, with all that hangs on them. @returns ids by the set in which they lie */
async function everyPlace(): Promise<Record<Exclude<Place, 'parked'>, string[]>> {
  const settled = await submitAll(
    connected,
    [{}, {}, {}, {}, { uniqueKey: 'ended', tags: ['x'] }].map((task) => ({ ...task, priority: 10 })),
  );
  const { claimed } = await workOnce(connected, { want: 5 });
  const [a, b, c, d, e] = claimed;
  if (!a || !b || !c || !d || !e) throw new Error('nothing to claim');
  await workOnce(connected, {
    want: 0,
    settles: [
      { kind: 'complete', ...a, result: '1' },
      { kind: 'dead', ...b, error: failure() },
      { kind: 'cancelled', ...c, reason: 'no' },
      { kind: 'fail', ...d, retryInMs: 3_600_000, error: failure() },
      { kind: 'complete', ...e, result: '2' },
    ],
  });
  const leases = await submitAll(connected, [{ priority: 10 }, { priority: 10, uniqueKey: 'running' }]);
  await workOnce(connected, { want: 2 });
  const pending = await submitAll(connected, [
    {},
    { priority: 1, uniqueKey: 'waiting' },
    { expiresAt: FAR, name: 'N', owner: 'o' },
  ]);
  const [parent = ''] = pending;
  return {
    completed: [settled[0] ?? '', settled[4] ?? ''],
    failed: [settled[1] ?? ''],
    cancelled: [settled[2] ?? ''],
    retrying: [settled[3] ?? ''],
    leases,
    pending,
    scheduled: await submitAll(connected, [{ runAt: FAR }]),
    blocked: await submitAll(connected, [{ dependsOn: [parent] }]),
  };
}

it('leaves a queue alone that is well', async () => {
  await everyPlace();
  const before = await snapshot();
  expect(violations(before)).toEqual([]);
  expect(await look()).toEqual(NONE);
  const { meta, ...rest } = await snapshot();
  const { meta: was, ...others } = before;
  expect(rest).toEqual(others);
  expect({ ...meta, mono: 0, wall: 0 }).toEqual({
    ...was,
    mono: 0,
    wall: 0,
    repair_at: '1 0',
    repair_due: meta.repair_due,
  });
});

it.each(['pending', 'leases', 'scheduled', 'blocked', 'completed', 'failed', 'cancelled'] as const)(
  'puts the tasks back where they were when the set `%s` was deleted',
  async (place) => {
    const ids = await everyPlace();
    const before = await snapshot();
    await del(place);
    const { leased, placed, ...others } = await look();
    expect([leased + placed, others]).toEqual([ids[place].length, { removed: 0, keys: 0 }]);
    const after = await snapshot();
    expect(violations(after)).toEqual([]);
    expect([...after.sets[place].keys()].sort()).toEqual([...before.sets[place].keys()].sort());
    if (place === 'pending' || place === 'scheduled' || place === 'blocked')
      expect(after.sets[place]).toEqual(before.sets[place]);
    expect(await look()).toEqual(NONE);
  },
);

it('lets tasks run again at once whose set of retries was deleted', async () => {
  const ids = await everyPlace();
  await del('retrying');
  expect(await look()).toEqual({ ...NONE, placed: 1 });
  const after = await snapshot();
  expect(after.sets.pending.has(ids.retrying[0] ?? '')).toBe(true);
  expect(violations(after)).toEqual([]);
});

it('gives running tasks a lease again: their workers keep it, and lose it when they die', async () => {
  const id = await submitOne(connected);
  const { claimed } = await workOnce(connected, { leaseMs: 1000 });
  await del('leases');
  expect(await look()).toEqual({ ...NONE, leased: 1 });
  const [until = 0] = (await snapshot()).sets.leases.values();
  expect(until - Number((await snapshot()).meta.mono)).toBeGreaterThan(900);
  expect(await connected.engine.extend('default', claimed, 1000)).toEqual({ lost: [], cancelRequested: [] });
  await expect
    .poll(async () => (await connected.engine.tick('default')).reaped, { interval: 100, timeout: 5000 })
    .toBe(1);
  expect((await snapshot()).sets.pending.has(id)).toBe(true);
});

it.each([
  ['who runs what', ['active']],
  ['that and the leases', ['active', 'leases']],
])('lets tasks run again of which Redis has lost %s', async (_, keys) => {
  const ids = await submitAll(connected, [{}, {}]);
  const { claimed } = await workOnce(connected, { want: 2 });
  await del(...keys, 'wake');
  expect(await look()).toEqual({ ...NONE, placed: 2 });
  const after = await snapshot();
  expect(violations(after)).toEqual([]);
  expect([...after.sets.pending.keys()].sort()).toEqual(ids.toSorted());
  expect(after.wakes).toBe(1);
  const [late] = claimed.map(({ id, token }) => ({ kind: 'complete' as const, id, token, result: '"late"' }));
  if (late === undefined) throw new Error('nothing was claimed');
  expect((await workOnce(connected, { want: 0, settles: [late] })).verdicts).toEqual(['fenced']);
  expect((await workOnce(connected, { want: 2 })).claimed).toHaveLength(2);
});

it('removes from everywhere what has no record any more, and says so', async () => {
  const ids = await everyPlace();
  const victims = Object.values(ids).map(([id = '']) => id);
  await del(...victims.map((id) => `t:${id}`));
  expect((await look()).removed).toBe(victims.length);
  const after = await snapshot();
  // Names, tags and owners stood in the records: those indexes are read past such ids.
  const left = violations(after).filter((what) => !/^bytes are|^index [gon]|^waits/.test(what));
  expect(left).toEqual([]);
  for (const set of Object.values(after.sets)) for (const id of victims) expect(set.has(id)).toBe(false);
  const removed = after.events.flatMap(({ changes }) => changes).filter(({ event }) => event === 'removed');
  const STATUS: Record<string, string> = { leases: 'processing' };
  const wanted = Object.entries(ids).map(([place, [id]]) => [id, 'noop', STATUS[place] ?? place]);
  expect(removed.map(({ id, type, status }) => [id, type, status]).sort()).toEqual(wanted.sort());
});

it.each(PLACES)('removes an id that nothing else knows from `%s`', async (place) => {
  await submitOne(connected);
  await connected.store.command('damage', (redis) => redis.zadd(key(place), 1, GHOST));
  expect(await look()).toEqual({ ...NONE, removed: 1 });
  expect(violations(await snapshot())).toEqual([]);
});

it('frees a unique key whose owner is not there', async () => {
  await submitOne(connected);
  await connected.store.command('damage', (redis) => redis.hset(key('unique'), 'k', GHOST));
  expect(await look()).toEqual({ ...NONE, keys: 1 });
  expect((await snapshot()).unique).toEqual({});
});

it('forgets a group of failures with its last member, not before', async () => {
  const ids = await submitAll(connected, [{}, {}]);
  const { claimed } = await workOnce(connected, { want: 2 });
  await workOnce(connected, { want: 0, settles: claimed.map((task) => ({ kind: 'dead', ...task, error: failure() })) });
  for (const [n, id] of ids.entries()) {
    await del(`t:${id}`);
    expect(await look()).toEqual({ ...NONE, removed: 1 });
    expect(Object.keys((await snapshot()).groups)).toHaveLength(1 - n);
  }
});

it('puts unique keys and times of expiry right', async () => {
  await everyPlace();
  const before = await snapshot();
  await del('unique', 'expiring');
  await connected.store.command('damage', (redis) =>
    redis.hset(key('unique'), 'ended', [...before.sets.completed.keys()][1] ?? ''),
  );
  expect(await look()).toEqual({ ...NONE, keys: 4 });
  const after = await snapshot();
  expect(violations(after)).toEqual([]);
  expect(after.unique).toEqual(before.unique);
});

it('leaves a task in one place that lies in two', async () => {
  const { pending, completed, leases } = await everyPlace();
  const before = await snapshot();
  await connected.store.command('damage', (redis) =>
    Promise.all([
      redis.zadd(key('scheduled'), FAR, pending[0] ?? ''),
      redis.zadd(key('pending'), 5, completed[0] ?? ''),
      redis.zadd(key('pending'), 5, leases[0] ?? ''),
    ]),
  );
  expect(await look()).toEqual({ ...NONE, placed: 3 });
  const after = await snapshot();
  expect(violations(after)).toEqual([]);
  expect(after.sets).toEqual(before.sets);
});

describe('a look', () => {
  it('takes a page at a time, and comes to an end over thousands of tasks', async () => {
    await submitAll(
      connected,
      Array.from({ length: 3000 }, () => ({})),
    );
    await del('pending');
    let pages = 0;
    for (let placed = 0; placed < 3000; pages++) {
      const page = await look();
      expect(page.placed).toBeLessThanOrEqual(600);
      placed += page.placed;
      expect(pages).toBeLessThan(60);
    }
    expect(pages).toBeGreaterThan(5);
    expect(violations(await snapshot())).toEqual([]);
  });

  it('is not made before its time, however many ask', async () => {
    await submitOne(connected);
    await connected.store.run(repair, 'default', { limit: 200, everyMs: 0, restMs: 60_000 });
    await del('pending');
    expect(await look()).toEqual(NONE);
    expect((await connected.engine.tick('default')).repairs).toEqual(NONE);
  });

  it('comes with the upkeep, and its sums are kept', async () => {
    await submitAll(connected, [{}, {}]);
    await del('pending');
    expect((await connected.engine.tick('default')).repairs).toEqual({ ...NONE, placed: 2 });
    expect((await snapshot()).meta).toMatchObject({ repaired: '2', repaired_at: expect.stringMatching(/^\d{13}$/) });
  });
});
