/** A task that comes to an empty queue is handed, claimed, to a worker that stands by; and whatever happens on the way, it runs. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { StandbyRequest } from '#queue/redis/calls';
import { configure } from '#queue/redis/scripts/configure';
import { submitAll, submitOne, taskSpec, workOnce } from '../support/engine';
import { engineOfFile } from '../support/engine-of-file';
import { readQueue, violations } from '../support/queue-snapshot';
import { ShiftedClock } from '../support/shifted-clock';

const NOON = Date.UTC(2026, 10, 25, 12);
const STAND_MS = 2_500;
const FETCH_MS = 1_000;

const clock = new ShiftedClock();
const { connected } = await engineOfFile({ emptied: true, redis: { env: clock.env } });
beforeEach(() => clock.stand(NOON));
afterAll(() => clock[Symbol.dispose]());

const standBy = (standby: Partial<StandbyRequest> = {}, call: Parameters<typeof workOnce>[1] = {}) =>
  workOnce(connected, { standby: { nonce: 'w1.h', forMs: STAND_MS, stood: false, ...standby }, ...call });
const snapshot = async () => {
  const queue = await connected.store.command('read', (redis) => readQueue(redis, connected.store.keys, 'default'));
  expect(violations(queue)).toEqual([]);
  return queue;
};
const wait = (worker = 'w1') => connected.engine.waitForWork(worker, ['default'], 100, new AbortController().signal);
const taskOf = async (id: string) => (await connected.reader.getTasks([id]))[0];
/** Who stands by finds the queue empty, as it was before. */
const finish = ({ id, token }: { id: string; token: string }) =>
  workOnce(connected, { want: 0, settles: [{ kind: 'complete', id, token, result: '1' }] });

describe('a task that comes to a worker that stands by', () => {
  it('is claimed for it and lies on its list, as a call would have brought it', async () => {
    expect(await standBy()).toMatchObject({ claimed: [], handed: [], standsBy: true });
    const id = await submitOne(connected, { payload: '{"a":"|"}', priority: 8, tags: ['x'], owner: 'ada' });
    expect(await taskOf(id)).toMatchObject({ status: 'processing', attempts: 1 });
    const { queues, handed } = await wait();
    expect(queues).toEqual([]);
    expect(handed).toEqual([
      expect.objectContaining({
        id,
        queue: 'default',
        token: '1:w1.h',
        payload: '{"a":"|"}',
        priority: 8,
        attempt: 1,
        maxAttempts: 4,
        tags: ['x'],
        owner: 'ada',
        startedAt: NOON,
      }),
    ]);
    const { events, awake } = await snapshot();
    expect(awake).toBe(false);
    const told = events.flatMap(({ changes }) => changes.map(({ event, workerId }) => [event, workerId ?? null]));
    expect(told).toEqual([
      ['created', null],
      ['started', 'w1'],
    ]);
    expect((await finish({ id, token: '1:w1.h' })).verdicts).toEqual(['accepted']);
    expect((await connected.reader.history(id))?.map(({ event }) => event)).toEqual([
      'created',
      'started',
      'completed',
    ]);
  });

  it('is the most urgent of those that it runs; for the others somebody is woken', async () => {
    await standBy({}, { types: ['noop'] });
    const [low, high, foreign] = await submitAll(connected, [
      { priority: 2 },
      { priority: 7 },
      { priority: 9, type: 'other' },
    ]);
    expect((await wait()).handed.map(({ id }) => id)).toEqual([high]);
    const { sets, awake } = await snapshot();
    expect([...sets.pending.keys()]).toEqual([foreign, low]);
    expect(awake).toBe(true);
  });

  it('is one: the next waits for a call', async () => {
    await standBy();
    const [first, second] = [await submitOne(connected), await submitOne(connected)];
    expect([(await taskOf(first))?.status, (await taskOf(second))?.status]).toEqual(['processing', 'pending']);
  });

  it('goes to the worker that said so last', async () => {
    await standBy({}, { workerId: 'w1' });
    clock.stand(NOON + 1);
    await standBy({ nonce: 'w2.h' }, { workerId: 'w2' });
    await submitOne(connected);
    const { active } = await snapshot();
    expect([...active.values()].map(({ workerId }) => workerId)).toEqual(['w2']);
  });

  it('is handed over once, also where the submit is repeated', async () => {
    await standBy();
    const spec = { idempotencyKey: 'once', bodyHash: 'abcdef12' };
    const first = await submitOne(connected, spec);
    expect(await submitOne(connected, spec)).toBe(first);
    expect((await snapshot()).inboxes.get('w1')).toHaveLength(1);
  });

  it('keeps its unique key until it ends', async () => {
    await standBy();
    const id = await submitOne(connected, { uniqueKey: 'only' });
    const again = () => connected.engine.submitMany([taskSpec({ uniqueKey: 'only' })]);
    expect((await again())[0]).toMatchObject({ ok: false });
    await finish({ id, token: '1:w1.h' });
    expect((await again())[0]).toMatchObject({ ok: true });
  });
});

describe('nothing is handed over', () => {
  const pendingAfter = async (prepare: () => Promise<unknown>, spec: Parameters<typeof submitOne>[1] = {}) => {
    await prepare();
    const id = await submitOne(connected, spec);
    expect(await taskOf(id)).toMatchObject({ status: 'pending' });
    expect((await snapshot()).awake).toBe(true);
  };

  it.each([
    [STAND_MS - 1, 'processing'],
    [STAND_MS, 'pending'],
  ] as const)('past the time for which the worker stands by: after %i ms it is %s', async (ms, status) => {
    await standBy();
    clock.stand(NOON + ms);
    expect(await taskOf(await submitOne(connected))).toMatchObject({ status });
  });

  it.each([
    [10_000, 'processing'],
    [10_001, 'pending'],
  ] as const)('to one that stands by for longer than any does: %i ms ahead it is %s', async (forMs, status) => {
    await standBy({ forMs });
    expect(await taskOf(await submitOne(connected))).toMatchObject({ status });
  });

  it('once it has said that it stands by no longer', () =>
    pendingAfter(async () => {
      await standBy();
      expect(await standBy({ forMs: 0, stood: true }, { want: 0 })).toMatchObject({ standsBy: false, handed: [] });
    }));

  it('where tasks wait that are ahead', () =>
    pendingAfter(async () => {
      await standBy({}, { types: ['noop'] });
      await submitOne(connected, { type: 'foreign' });
    }));

  it('where a task has come due that may be more urgent', async () => {
    await submitOne(connected, { runAt: NOON + 10 });
    await standBy();
    clock.stand(NOON + 9);
    const [before] = [await submitOne(connected)];
    expect(await taskOf(before)).toMatchObject({ status: 'processing' });
    await standBy({ stood: true });
    await finish({ id: before, token: '1:w1.h' });
    await standBy();
    clock.stand(NOON + 10);
    expect(await taskOf(await submitOne(connected))).toMatchObject({ status: 'pending' });
  });

  it('that expires', () => pendingAfter(() => standBy(), { expiresAt: NOON + 60_000 }));

  it.each([{ concurrency: 5 }, { rate_max: 5, rate_per: 1000 }])('in a queue with limits: %o', (limit) =>
    pendingAfter(async () => {
      await standBy();
      await connected.store.run(configure, 'default', limit);
    }),
  );

  it('in a queue that is paused, or to a worker that asks there', async () => {
    await standBy();
    await connected.engine.pause('default');
    expect(await taskOf(await submitOne(connected))).toMatchObject({ status: 'pending' });
    expect(await standBy()).toMatchObject({ standsBy: false });
  });

  it('to a worker that has found a task, which is none that stands by', async () => {
    await submitOne(connected);
    expect(await standBy()).toMatchObject({ standsBy: false, claimed: [expect.anything()] });
  });
});

describe('a task that was handed over and does not arrive', () => {
  it('is brought by the next call, once, and not again', async () => {
    await standBy();
    const id = await submitOne(connected);
    await connected.store.command('lose', (redis) => redis.del(connected.store.keys.handed('default', 'w1')));
    const { handed, standsBy } = await standBy({ stood: true });
    expect([handed.map(({ id: one, token }) => [one, token]), standsBy]).toEqual([[[id, '1:w1.h']], false]);
    await finish({ id, token: '1:w1.h' });
    expect(await standBy({ stood: true })).toMatchObject({ handed: [], standsBy: true });
  });

  it('does not lie on the list any more once a call has brought it', async () => {
    await standBy();
    await submitOne(connected);
    await standBy({ stood: true });
    expect((await snapshot()).inboxes.size).toBe(0);
  });

  it.each([
    [FETCH_MS - 1, 'processing'],
    [FETCH_MS, 'pending'],
  ] as const)('because its worker is dead is taken back at no attempt: after %i ms it is %s', async (ms, status) => {
    await standBy();
    const id = await submitOne(connected, { maxRetries: 0 });
    clock.stand(NOON + ms);
    await connected.engine.tick('default');
    expect(await taskOf(id)).toMatchObject({ status });
    const { awake, inboxes } = await snapshot();
    expect([awake, inboxes.has('w1')]).toEqual([status === 'pending', status !== 'pending']);
  });

  it('then runs elsewhere as its first attempt, and a worker that comes back late changes nothing', async () => {
    await standBy();
    const id = await submitOne(connected, { maxRetries: 0 });
    clock.stand(NOON + FETCH_MS);
    await connected.engine.tick('default');
    const { claimed } = await workOnce(connected, { workerId: 'w2' });
    expect(claimed).toMatchObject([{ id, attempt: 1 }]);
    expect((await finish({ id, token: '1:w1.h' })).verdicts).toEqual(['fenced']);
    expect((await standBy({ stood: true })).handed).toEqual([]);
    expect((await connected.reader.history(id))?.map(({ event }) => event)).toEqual([
      'created',
      'started',
      'released',
      'started',
    ]);
  });

  it('is cancelled where somebody has asked for it meanwhile', async () => {
    await standBy();
    const id = await submitOne(connected);
    await connected.engine.cancel([id], 'not needed');
    clock.stand(NOON + FETCH_MS);
    await connected.engine.tick('default');
    expect(await taskOf(id)).toMatchObject({ status: 'cancelled' });
  });

  it('is left to its lease where it was fetched', async () => {
    await standBy();
    const id = await submitOne(connected);
    expect((await wait()).handed).toHaveLength(1);
    clock.stand(NOON + FETCH_MS);
    await connected.engine.tick('default');
    expect(await taskOf(id)).toMatchObject({ status: 'processing' });
  });
});
