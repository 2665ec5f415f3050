import { expect, it } from 'vitest';
import type { HistoryItem } from '#queue/engine/ports';
import { failure, submitOne, workOnce } from '../support/engine';
import { engineOfFile } from '../support/engine-of-file';

const { connected } = await engineOfFile();

const claim = async (type: string) => {
  const { claimed } = await workOnce(connected, { types: [type] });
  const [task] = claimed;
  if (!task) throw new Error('nothing to claim');
  return { id: task.id, token: task.token };
};
const historyOf = async (id: string): Promise<HistoryItem[]> => (await connected.reader.history(id)) ?? [];
const failNow = { kind: 'fail' as const, retryInMs: 0, error: failure() };

it('has start, end, wait and back-off of every attempt', async () => {
  const id = await submitOne(connected, { type: 'a' });
  await workOnce(connected, { settles: [{ ...failNow, ...(await claim('a')) }], want: 0, types: ['a'] });
  await workOnce(connected, {
    settles: [{ ...failNow, retryInMs: 60_000, ...(await claim('a')) }],
    want: 0,
    types: ['a'],
  });
  const [created, first, firstEnd, second, secondEnd] = await historyOf(id);
  expect([created, first, firstEnd, second, secondEnd].map((item) => item?.event)).toEqual([
    'created',
    'started',
    'retrying',
    'started',
    'retrying',
  ]);
  expect(first).toMatchObject({ attempt: 1, workerId: 'w1', startedAt: first?.at, readyAt: created?.at });
  expect(firstEnd).toMatchObject({ attempt: 1, startedAt: first?.at, nextRunAt: firstEnd?.at, readyAt: null });
  expect(second).toMatchObject({ attempt: 2, readyAt: firstEnd?.at });
  expect(secondEnd?.nextRunAt).toBe((secondEnd?.at ?? 0) + 60_000);
  expect(secondEnd?.error).toMatchObject({ message: 'boom', fingerprint: 'abcdef12' });
  const [task] = await connected.reader.getTasks([id]);
  expect(task).toMatchObject({ startedAt: second?.at, endedAt: secondEnd?.at, dueAt: secondEnd?.nextRunAt });
});

it('tells when it comes due as it is now, where somebody has changed that', async () => {
  const id = await submitOne(connected, { type: 'b' });
  await workOnce(connected, {
    settles: [{ ...failNow, retryInMs: 60_000, ...(await claim('b')) }],
    want: 0,
    types: ['b'],
  });
  const later = Date.now() + 900_000;
  await connected.engine.patch(id, { runAt: later });
  expect((await historyOf(id)).at(-1)).toMatchObject({ event: 'retrying', nextRunAt: later });
  await connected.engine.patch(id, { runAt: null });
  await claim('b');
  const started = (await historyOf(id)).at(-1);
  expect(started).toMatchObject({ event: 'started', attempt: 2 });
  expect(started?.readyAt).toBeLessThanOrEqual(started?.at ?? 0);
});

it('knows sleeps, hand-backs and requeues, and that a sleep is no error', async () => {
  const id = await submitOne(connected, { type: 'c', maxRetries: 0 });
  await workOnce(connected, {
    settles: [{ kind: 'snooze', delayMs: 0, ...(await claim('c')) }],
    want: 0,
    types: ['c'],
  });
  await workOnce(connected, { settles: [{ kind: 'release', ...(await claim('c')) }], want: 0, types: ['c'] });
  await workOnce(connected, {
    settles: [{ kind: 'dead', error: failure(), ...(await claim('c')) }],
    want: 0,
    types: ['c'],
  });
  await connected.engine.requeue([id]);
  await claim('c');
  const items = await historyOf(id);
  expect(items.map(({ event }) => event)).toEqual([
    'created',
    'started',
    'snoozed',
    'started',
    'released',
    'started',
    'failed',
    'requeued',
    'started',
  ]);
  const starts = items.filter(({ event }) => event === 'started');
  expect(starts.map(({ readyAt }) => readyAt)).toEqual([items[0]?.at, items[2]?.nextRunAt, items[4]?.at, items[7]?.at]);
  expect(items[2]).toMatchObject({ error: null, nextRunAt: items[2]?.at });
  const [running] = await connected.reader.getTasks([id]);
  expect(running).toMatchObject({ endedAt: null, startedAt: starts.at(-1)?.at });
});

it('keeps every end in a history of more than 64 KiB, but no more sleeps', async () => {
  const id = await submitOne(connected, { type: 'long', maxRetries: 20 });
  const settle = async (how: object) =>
    workOnce(connected, { settles: [{ ...failNow, ...how, ...(await claim('long')) }], want: 0, types: ['long'] });
  for (let n = 0; n < 9; n++) await settle({ error: { ...failure(), stack: 'x'.repeat(8_000) } });
  await settle({ kind: 'snooze', delayMs: 0 });
  await settle({});
  const events = (await historyOf(id)).map(({ event }) => event);
  expect(events.filter((event) => event === 'retrying')).toHaveLength(10);
  expect(events).not.toContain('snoozed');
});

it('begins a wait at run_at, and leaves it open where other tasks had to end first', async () => {
  const first = await submitOne(connected, { type: 'd' });
  const next = await submitOne(connected, { type: 'e', dependsOn: [first] });
  await workOnce(connected, {
    settles: [{ kind: 'complete', result: '1', ...(await claim('d')) }],
    want: 0,
    types: ['d'],
  });
  await connected.engine.tick('default');
  await claim('e');
  expect((await historyOf(next)).at(-1)).toMatchObject({ event: 'started', readyAt: null });
  const runAt = Date.now() + 600_000;
  const planned = await submitOne(connected, { type: 'f', runAt });
  expect(await historyOf(planned)).toMatchObject([{ event: 'created', nextRunAt: runAt }]);
});
