/** What the scripts do at their bounds, to the millisecond and to the task: the clock of Redis stands in the test's hands. */
import { afterAll, beforeEach, expect, it } from 'vitest';
import { configure } from '#queue/redis/scripts/configure';
import { outbox } from '#queue/redis/scripts/outbox';
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
