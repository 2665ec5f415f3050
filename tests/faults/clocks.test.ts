/**
 * Wall clocks that are wrong. Leases follow a clock of Redis that only goes forward and never by much at a time; due times
 * follow the wall clock of Redis; nothing follows the clock of a worker.
 */
import { expect, it } from 'vitest';
import { FaultWorld, LEASE_MS } from '../support/fault-world';
import { passes, waitFor } from '../support/millrace-process';
import { ShiftedClock } from '../support/shifted-clock';

const HOUR_MS = 3_600_000;
const YEARS_MS = 10 * 365 * 24 * HOUR_MS;
/** Long enough for every lease to have been looked at and extended again. */
const LOOKED_MS = 4000;

it.each([
  ['1 h ahead', HOUR_MS],
  ['1 h back', -HOUR_MS],
  ['10 years ahead', YEARS_MS],
])('starts nothing twice when the clock of Redis steps %s; due times follow it, and streams go on', async (_, step) => {
  using clock = new ShiftedClock();
  await using world = await FaultWorld.start({ redisEnv: clock.env });
  const api = await world.server();
  await world.running(api, 5);
  const dueInHalfAnHour = { task_type: 'gated', payload: world.payload('late'), run_at: at(HOUR_MS / 2) };
  const due = await api.submit(dueInHalfAnHour);
  const soon = await api.submit({ task_type: 'gated', payload: world.payload('late'), run_at: at(2000) });
  const streamedBefore = await lastEvent(world);

  clock.shift(step);
  await passes(LOOKED_MS);
  expect(new Set(world.runs).size).toBe(5);
  expect(world.runs).toHaveLength(5);
  const statuses = [(await api.task(due.id)).status, (await api.task(soon.id)).status];
  // All slots are taken: what is due waits for one.
  expect(statuses).toEqual(step > 0 ? ['pending', 'pending'] : ['scheduled', 'scheduled']);

  world.open();
  world.open('late');
  await world.until(api, 'completed', step > 0 ? 7 : 5);
  expect(world.runs).toHaveLength(step > 0 ? 7 : 5);
  expect(isAfter(await lastEvent(world), streamedBefore)).toBe(true);

  // Back at the right time nothing is wrong either.
  clock.shift(0);
  await world.until(api, 'completed', step > 0 ? 7 : 6); // what was due in two seconds
  expect(await world.violations()).toEqual([]);
});

it('finds out a dead worker as soon as ever with the clock of Redis an hour back', async () => {
  using clock = new ShiftedClock();
  await using world = await FaultWorld.start({ redisEnv: clock.env });
  const api = await world.server();
  const worker = world.worker();
  const task = await api.submit({ task_type: 'gated', payload: world.payload() });
  await world.begun();
  clock.shift(-HOUR_MS);
  worker.signal('SIGKILL');
  const killed = performance.now();
  world.worker();
  await world.startsElsewhere(api, task.id);
  expect(performance.now() - killed).toBeLessThan(LEASE_MS + 3000); // the clock stands for a quarter of a lease at most
  world.open();
  await api.until(task.id, 'completed');
  expect(await world.violations()).toEqual([]);
});

it('starts nothing twice while the clock of Redis runs 5 % too fast, then 5 % too slow', async () => {
  using clock = new ShiftedClock();
  await using world = await FaultWorld.start({ redisEnv: clock.env });
  const api = await world.server();
  await world.running(api, 5);
  let shift = 0;
  for (const rate of [0.05, -0.05]) {
    const began = performance.now();
    const from = shift;
    await waitFor('the clock to have drifted', () => {
      const passed = performance.now() - began;
      shift = from + passed * rate;
      clock.shift(Math.round(shift));
      return passed > 6000 ? true : null;
    });
  }
  expect(world.runs).toHaveLength(5);
  world.open();
  await world.until(api, 'completed', 5);
  expect(world.runs).toHaveLength(5);
  expect(await world.violations()).toEqual([]);
});

it('does not care for the clock of a worker', async () => {
  using ahead = new ShiftedClock();
  using behind = new ShiftedClock();
  await using world = await FaultWorld.start();
  const api = await world.server();
  for (const clock of [ahead, behind]) world.worker(5, { env: clock.env });
  await world.submitMany(api, 10);
  await world.until(api, 'processing', 10);
  ahead.shift(HOUR_MS);
  behind.shift(-HOUR_MS);
  await passes(LOOKED_MS);
  const { workers, processing } = await world.stats(api);
  expect({ workers, processing, runs: world.runs.length }).toEqual({ workers: 2, processing: 10, runs: 10 });
  await world.submitMany(api, 10);
  world.open();
  await world.until(api, 'completed', 20);
  expect(world.runs).toHaveLength(20);
  for (const id of world.accepted) {
    const { started_at: started, finished_at: ended } = await api.task(id);
    for (const moment of [started, ended]) expect(Math.abs(Date.parse(moment ?? '') - Date.now())).toBeLessThan(60_000);
  }
  expect(await world.violations()).toEqual([]);
});

const at = (inMs: number): string => new Date(Date.now() + inMs).toISOString();

type EventId = [ms: number, n: number];

/** Of the last entry in the stream of the queue. */
async function lastEvent({ engine: { store } }: FaultWorld): Promise<EventId> {
  const key = store.keys.of('default', 'events');
  const [entry] = await store.command('last event', (redis) => redis.xrevrange(key, '+', '-', 'COUNT', 1));
  const [ms, n] = (entry?.[0] ?? '').split('-').map(Number);
  return [ms ?? 0, n ?? 0];
}

const isAfter = (a: EventId, b: EventId): boolean => a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);
