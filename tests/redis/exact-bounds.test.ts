/** What the scripts do at their bounds, to the millisecond and to the task: the clock of Redis stands in the test's hands. */
import { afterAll, beforeEach, expect, it } from 'vitest';
import { configure } from '#queue/redis/scripts/configure';
import { outbox } from '#queue/redis/scripts/outbox';
import { repair } from '#queue/redis/scripts/repair';
import { serve } from '#queue/redis/scripts/serve';
import { unblock } from '#queue/redis/scripts/unblock';
import { claimOne, submitAll, submitOne, taskSpec, workOnce } from '../support/engine';
import { engineOfFile } from '../support/engine-of-file';
import { readQueue } from '../support/queue-snapshot';
import { ShiftedClock } from '../support/shifted-clock';

const NOON = Date.UTC(2026, 10, 25, 12);

const clock = new ShiftedClock();
const { connected } = await engineOfFile({ emptied: true, redis: { env: clock.env } });
beforeEach(() => clock.stand(NOON));
afterAll(() => clock[Symbol.dispose]());

const snapshot = () =>
  connected.store.command('read it all', (redis) => readQueue(redis, connected.store.keys, 'default'));
const complete = ({ id, token }: { id: string; token: string }) =>
  workOnce(connected, { want: 0, settles: [{ kind: 'complete', id, token, result: '1' }] });
/** Nobody has been woken since. */
const slept = () =>
  connected.store.command('forget wakes', (redis) => redis.del(connected.store.keys.of('default', 'wake')));
const outboxOf = (limit: number, told: readonly string[] = []) =>
  connected.store.run(outbox, 'default', { limit, told: [...told] });

it('tells a child that began to wait while its parent ran', async () => {
  await submitOne(connected);
  const parent = await claimOne(connected);
  const child = await submitOne(connected, { dependsOn: [parent.id] });
  await complete(parent);
  expect(await outboxOf(10)).toMatchObject([{ parent: parent.id, completed: true, dependants: [`default|${child}`] }]);
});

it('reads as many ends from the outbox as it is asked for', async () => {
  const parents = await submitAll(connected, [{}, {}, {}]);
  await submitAll(
    connected,
    parents.map((id) => ({ dependsOn: [id] })),
  );
  const { claimed } = await workOnce(connected, { want: 3 });
  for (const parent of claimed) await complete(parent);
  expect(await outboxOf(1)).toHaveLength(1);
  const two = await outboxOf(2);
  expect(two).toHaveLength(2);
  const told = two.map(({ entry }) => entry);
  expect(await outboxOf(2, told)).toHaveLength(1);
});

it('takes as many pending tasks as the queue may hold, in one call and in several', async () => {
  await connected.store.run(configure, 'default', { max_pending: 2 });
  const outcomes = await connected.engine.submitMany([taskSpec(), taskSpec(), taskSpec()]);
  expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, false]);
  const [one] = await connected.engine.submitMany([taskSpec()]);
  expect(one).toMatchObject({ ok: false, error: { code: 'QUEUE_FULL' } });
  await claimOne(connected);
  expect((await connected.engine.submitMany([taskSpec()]))[0]).toMatchObject({ ok: true });
});

it.each([
  [0, 'pending'],
  [1, 'scheduled'],
] as const)('lets a task that is free %i ms before its time be %s', async (early, status) => {
  const parent = await submitOne(connected);
  const child = await submitOne(connected, { dependsOn: [parent], runAt: NOON + 1000 });
  clock.stand(NOON + 1000 - early);
  const ends = [{ child, parent, verdict: 'C' as const, body: '' }];
  await connected.store.run(unblock, 'default', { fingerprint: '00000bad', ends });
  expect((await snapshot()).sets[status].has(child)).toBe(true);
});

it.each([
  [0, true],
  [1, false],
] as const)('keeps an expiry that passed %i ms ago over a requeue: %s', async (ago, kept) => {
  const id = await submitOne(connected, { expiresAt: NOON + 1000 });
  await connected.engine.cancel([id], 'test');
  clock.stand(NOON + 1000 + ago);
  expect(await connected.engine.requeue([id])).toEqual(['requeued']);
  expect((await snapshot()).sets.expiring.has(id)).toBe(kept);
});

it('opens a rate limit when its time is over, to the millisecond, and tells when that is', async () => {
  await connected.engine.setLimits('default', { rate: { max: 1, perMs: 1000 } });
  await submitAll(connected, [{}, {}]);
  expect((await workOnce(connected)).claimed).toHaveLength(1);
  clock.stand(NOON + 999);
  expect(await workOnce(connected)).toMatchObject({ claimed: [], nextDueInMs: 1 });
  clock.stand(NOON + 1000);
  expect((await workOnce(connected)).claimed).toHaveLength(1);
});

it('tells of no end of a rate limit while there is room', async () => {
  await connected.engine.setLimits('default', { rate: { max: 2, perMs: 1000 } });
  await submitAll(connected, [{}, {}]);
  expect(await workOnce(connected)).toMatchObject({ claimed: [{ attempt: 1 }], nextDueInMs: null });
});

it.each([
  [0, true],
  [1, false],
] as const)('counts on a worker of another type %i ms after its word has ended: %s', async (late, counts) => {
  await submitOne(connected, { type: 'exotic' });
  await connected.store.run(serve, 'default', { ttlMs: 1000, limit: 100, types: ['exotic'] });
  clock.stand(NOON + 1000 + late);
  expect((await workOnce(connected)).skipped).toBe(counts);
  expect((await snapshot()).sets.parked.size).toBe(counts ? 0 : 1);
});

it('tells when the next task comes due, and nothing where none does', async () => {
  await submitOne(connected, { runAt: NOON + 700 });
  expect((await workOnce(connected)).nextDueInMs).toBe(700);
  clock.stand(NOON + 700);
  expect(await workOnce(connected)).toMatchObject({ claimed: [{ attempt: 1 }], nextDueInMs: null });
});

it('starts a child at its run_at where its parents have ended before', async () => {
  await submitOne(connected);
  const parent = await claimOne(connected);
  const child = await submitOne(connected, { dependsOn: [parent.id], runAt: NOON + 700 });
  await complete(parent);
  const ends = [{ child, parent: parent.id, verdict: 'C' as const, body: '' }];
  await connected.store.run(unblock, 'default', { fingerprint: '00000bad', ends });
  expect((await workOnce(connected)).nextDueInMs).toBe(700);
  clock.stand(NOON + 700);
  expect(await claimOne(connected)).toMatchObject({ id: child });
});

it('finds a task behind many of a type that another worker runs', async () => {
  const others = await submitAll(
    connected,
    Array.from({ length: 60 }, () => ({ type: 'exotic' })),
  );
  const mine = await submitOne(connected);
  await connected.store.run(serve, 'default', { ttlMs: 60_000, limit: 100, types: ['exotic'] });
  expect(await workOnce(connected)).toMatchObject({ claimed: [{ id: mine }], skipped: true });
  expect((await snapshot()).sets.pending.size).toBe(others.length);
});

it('leaves ids without a record only where they are, and takes them out of the queue where it meets them', async () => {
  const [lost = '', kept] = await submitAll(connected, [{}, {}]);
  await connected.store.command('lose it', (redis) => redis.del(connected.store.keys.of('default', `t:${lost}`)));
  expect((await workOnce(connected, { want: 2 })).claimed.map(({ id }) => id)).toEqual([kept]);
  expect((await snapshot()).sets.pending.size).toBe(0);
});

it('says once of a parent that has ended what became of it, and nothing more when it is removed', async () => {
  const parent = await submitOne(connected);
  await submitOne(connected, { dependsOn: [parent] });
  await complete(await claimOne(connected));
  const [told] = await outboxOf(10);
  expect(told).toMatchObject({ parent, completed: true });
  expect(await outboxOf(10, [told?.entry ?? ''])).toEqual([]);
  await connected.engine.remove([parent]);
  expect(await outboxOf(10)).toEqual([]);
});

it.each([
  [0, 0],
  [1, 1],
] as const)('wakes somebody for a time that is set %i ms before the next one: %i', async (sooner, wakes) => {
  await submitOne(connected, { runAt: NOON + 1000 });
  const later = await submitOne(connected, { runAt: NOON + 2000 });
  await slept();
  await connected.engine.patch(later, { runAt: NOON + 1000 - sooner });
  expect((await snapshot()).wakes).toBe(wakes);
});

it('claims what comes due at one moment by priority, not by when it was submitted', async () => {
  const priorities = [1, 10, 5, 10];
  const ids = await submitAll(
    connected,
    priorities.map((priority) => ({ priority, runAt: NOON + 10 })),
  );
  clock.stand(NOON + 10);
  const { claimed } = await workOnce(connected, { want: 4 });
  expect(claimed.map(({ id }) => ids.indexOf(id))).toEqual([1, 3, 2, 0]);
});

it('puts back among the pending what is due at this very moment, and among the scheduled what is due in the next', async () => {
  const [now = '', next = ''] = await submitAll(connected, [{ runAt: NOON + 10 }, { runAt: NOON + 11 }]);
  await connected.store.command('damage', (redis) => redis.del(connected.store.keys.of('default', 'scheduled')));
  clock.stand(NOON + 10);
  await connected.store.run(repair, 'default', { limit: 200, everyMs: 0, restMs: 0 });
  const { sets } = await snapshot();
  expect([sets.pending.has(now), sets.scheduled.has(next)]).toEqual([true, true]);
});

it.each([
  [1, 0],
  [0, 1],
] as const)('looks for damage with an upkeep %i ms before its time: %i put back', async (early, placed) => {
  await submitOne(connected);
  await connected.store.run(repair, 'default', { limit: 200, everyMs: 0, restMs: 1000 });
  await connected.store.command('damage', (redis) => redis.del(connected.store.keys.of('default', 'pending')));
  clock.stand(NOON + 1000 - early);
  expect((await connected.engine.tick('default')).repairs.placed).toBe(placed);
});

it('tells of lines of a log as lines, and of progress as progress', async () => {
  await submitOne(connected);
  const { id, token } = await claimOne(connected);
  const logs = [{ at: NOON, level: 'info' as const, message: 'x', attempt: 1 }];
  await connected.engine.report('default', [{ id, token, progress: null, logs }]);
  const eventsOf = async () => (await snapshot()).events.flatMap(({ changes }) => changes.map(({ event }) => event));
  expect([(await snapshot()).progress, await eventsOf()]).toEqual([{}, ['created', 'started']]);
  await connected.engine.report('default', [{ id, token, progress: { percent: 5, message: null }, logs: [] }]);
  expect([(await snapshot()).progress, await eventsOf()]).toEqual([{ [id]: '5|' }, ['created', 'started', 'progress']]);
});

it('hands out whole what comes due, however large, beside what was pending', async () => {
  const payloads = [...Array.from({ length: 120 }, (_, n) => 16_300 + n), 60_000].map(
    (length) => `{"x":"${'y'.repeat(length - 8)}"}`,
  );
  const ids = await submitAll(
    connected,
    payloads.map((payload, n) => ({ payload, runAt: n % 2 === 0 ? NOON + 10 : null })),
  );
  clock.stand(NOON + 10);
  const { claimed } = await workOnce(connected, { want: payloads.length });
  expect(claimed.map(({ id, payload }) => payloads.indexOf(payload) === ids.indexOf(id))).toEqual(
    payloads.map(() => true),
  );
});

it.each([
  [8, null, 4],
  [9, null, 5],
  [9, 100, 4],
] as const)(
  'gives one task ahead of its slot where %i wait (limit of concurrency: %s): %i of 5',
  async (waiting, concurrency, given) => {
    await connected.engine.setLimits('default', { concurrency });
    await submitAll(
      connected,
      Array.from({ length: waiting }, () => ({})),
    );
    expect((await workOnce(connected, { want: 5, ahead: 1 })).claimed).toHaveLength(given);
  },
);
