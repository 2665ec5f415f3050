/**
 * Producers, servers, workers, clients of the API and of the WebSocket, and faults in an order that a seed gives. Then
 * quiet: everything drains, the books are checked, and all that lived through it must be as small as before. One JSON
 * line a run. `npm run soak -- --minutes N --seed S`.
 */
import { expect, it } from 'vitest';
import { LEASE_MS } from '../support/fault-world';
import { waitFor } from '../support/millrace-process';
import { type QueueSnapshot, readQueue } from '../support/queue-snapshot';
import { checkBooks } from './books';
import { restartsAfter, restartTimes } from './executions';
import { Faults } from './faults';
import { Fleet } from './fleet';
import { growth, measure, measureUntilBack, removeAll } from './footprint';
import { Load } from './load';
import { MORTAL_WORKERS, SLOTS } from './patient';
import { faultCounts, MINUTES, report, SEED, seconds } from './report';
import { Seeded } from './seeded';
import { AT_ONCE, BACKOFF, soakTask } from './submissions';
import { FAULT_NAMES, timetable } from './timetable';

const WARM_UP_GAP_MS = 2000;
/** Enough to fill what is kept of the newest events and frames, so that they are as large before as after. */
const WARM_UP_TASKS = 3000;
/** For what was in the queue, on a machine that does much else. */
const MARGIN_MS = 30_000;
/** With the jitter of the longest back-off. */
const DRAIN_MS = 3 * LEASE_MS + BACKOFF.max * 1200 + MARGIN_MS;
const PATIENCE_MS = 240_000;
/** A dead worker's task begins again within its lease and this, where Redis is there all the time. */
const RESTART_MS = 1000;
/** A worker that was just killed starts first. */
const SLOTS_MS = 60_000;

it(
  `loses nothing, writes nothing twice and grows by nothing in ${MINUTES} min of faults`,
  async () => {
    await using fleet = await Fleet.start();
    const before = await warmUp(fleet);

    const began = Date.now();
    const seeded = new Seeded(SEED);
    const faults = new Faults(fleet, seeded);
    const load = new Load(fleet, (n) => new Seeded(SEED + 1 + n));
    await load.during(() => faults.keep(timetable(MINUTES, [], seeded)));
    const quietAt = Date.now();
    const drainMs = await drained(fleet);

    const { store } = fleet.world.engine;
    const queue = await store.command('read it all', (redis) => readQueue(redis, store.keys, 'default'));
    const { ends, faults: books, ...sums } = checkBooks(queue, load.submissions, fleet.executions.refresh());
    const disagreeing = await countsOf(fleet, queue);
    const violations = await fleet.world.violations();
    const idle = await everySlotClaims(fleet, load, 'after');
    await load.stop();
    await removeAll(fleet);
    const after = await measureUntilBack(fleet, before);

    const restarts = restartsAfter(faults.kills, faults.outages, fleet.executions);
    const undisturbed = restarts.filter(({ disturbed }) => !disturbed);
    const missed = load.followers.flatMap((follower) => follower.missed(ends));
    const wrong: Record<string, readonly unknown[]> = {
      ...books,
      violations,
      api: load.clients.flatMap((client) => client.wrong),
      counts: disagreeing,
      stream: load.followers.flatMap((follower) => follower.wrong),
      endsMissed: missed,
      idle,
      crashes: fleet.crashes,
      growth: growth(before, after),
      restartedLate: undisturbed.filter(({ ms }) => ms > LEASE_MS + RESTART_MS),
      faultsFailed: faults.failed,
    };
    const planned = faultCounts(faults.done);
    report({
      system: 'millrace',
      seed: SEED,
      minutes: MINUTES,
      faults: planned,
      faultSeconds: seconds(quietAt - began),
      drainSeconds: seconds(drainMs),
      accepted: load.submissions.ids.size,
      executions: fleet.executions.all.size,
      startsRefused: fleet.startsRefused,
      ...sums,
      ...Object.fromEntries(Object.entries(wrong).map(([what, all]) => [what, all.length])),
      restartMs: restartTimes(restarts),
      restartMsUndisturbed: restartTimes(undisturbed),
      answers: merged(load.clients.map((client) => client.answers)),
      stream: load.followers.map((one) => ({ ...one.counts, holeSeconds: one.holeSeconds(began) })),
      memory: { before, after },
      examples: Object.fromEntries(Object.entries(wrong).flatMap(([what, [one]]) => (one ? [[what, one]] : []))),
    });
    const nothing = Object.fromEntries(Object.keys(wrong).map((what) => [what, []]));
    expect(wrong).toEqual(nothing);
    for (const { planned: count, done } of Object.values(planned)) expect(done).toBe(count);
    expect(drainMs).toBeLessThan(DRAIN_MS);
  },
  MINUTES * 120_000 + PATIENCE_MS * 3,
);

/** The same work and one of each fault, so that every process has seen all of it once; then nothing is stored. */
async function warmUp(fleet: Fleet) {
  const load = new Load(fleet, (n) => new Seeded(SEED - 1 - n));
  const seeded = new Seeded(SEED - 100);
  const tasks = Array.from({ length: WARM_UP_TASKS }, () => ({ ...soakTask(seeded), payload: AT_ONCE }));
  await load.during(async () => {
    await fleet.api(0).call('POST', '/api/tasks/bulk', { tasks });
    const once = FAULT_NAMES.map((name, n) => ({ atMs: n * WARM_UP_GAP_MS, name }));
    await new Faults(fleet, seeded).keep(once);
  });
  await drained(fleet);
  const idle = await everySlotClaims(fleet, load, 'before');
  if (idle.length > 0) throw new Error(`the warm-up: ${idle.join('; ')}`);
  await load.stop();
  await removeAll(fleet);
  fleet.executions.forget();
  return measure(fleet);
}

/** @returns ms until nothing waits and nothing runs */
async function drained(fleet: Fleet): Promise<number> {
  const since = performance.now();
  const atRest = async () => {
    const { pending, processing, retrying, scheduled } = await fleet.world.stats(fleet.api(0));
    return pending + processing + retrying + scheduled === 0 ? true : null;
  };
  await waitFor('the queue to drain', atRest, PATIENCE_MS);
  return performance.now() - since;
}

/** @returns in words where a server counts otherwise than Redis */
async function countsOf(fleet: Fleet, { sets, records }: QueueSnapshot): Promise<string[]> {
  const wanted = {
    total: records.size,
    completed: sets.completed.size,
    failed: sets.failed.size,
    cancelled: sets.cancelled.size,
  };
  const told = await Promise.all([0, 1].map((n) => fleet.world.stats(fleet.api(n))));
  return told.flatMap(({ total, completed, failed, cancelled }) => {
    const found = JSON.stringify({ total, completed, failed, cancelled });
    return found === JSON.stringify(wanted) ? [] : [`${found} is told, ${JSON.stringify(wanted)} is true`];
  });
}

/**
 * As many tasks as there are slots run at the same time, and everyone who follows the events hears of their ends.
 * @returns in words what did not work
 */
async function everySlotClaims(fleet: Fleet, load: Load, gate: string): Promise<string[]> {
  const slots = (MORTAL_WORKERS + 1) * SLOTS;
  const api = fleet.api(0);
  const { world } = fleet;
  const wrong: string[] = [];
  world.accepted.clear();
  await world.submitMany(api, slots, gate);
  await world.until(api, 'processing', slots, SLOTS_MS).catch((error) => wrong.push(String(error)));
  world.open(gate);
  await drained(fleet);
  for (const [n, follower] of load.followers.entries()) {
    const sawAll = () => ([...world.accepted].every((id) => follower.saw(id, 'completed')) ? true : null);
    await waitFor(`follower ${n} to see the last tasks`, sawAll).catch((error) => wrong.push(String(error)));
  }
  return wrong;
}

function merged(all: readonly Record<string, number>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const one of all) for (const [what, count] of Object.entries(one)) sum[what] = (sum[what] ?? 0) + count;
  return sum;
}
