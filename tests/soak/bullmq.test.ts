/**
 * The same soak of BullMQ: same work, faults, seed and books, with its defaults throughout (lock 30 s, look for stalled jobs
 * every 30 s, a job may stall once, everything kept). It has no servers: producers talk to Redis themselves, so `server
 * killed` is left out. Its exponential back-off has no cap: retries wait for 0.5 s each. It compares and judges nothing.
 * `npm run soak -- --bullmq --minutes N --seed S`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { expect, it } from 'vitest';
import { BullmqFleet } from './bullmq-fleet';
import { restartsAfter, restartTimes } from './executions';
import { Faults } from './faults';
import { faultCounts, MINUTES, report, SEED, seconds } from './report';
import { Seeded } from './seeded';
import { MAX_RETRIES, soakTask } from './submissions';
import { type FaultName, timetable } from './timetable';

const QUEUE = 'soak';
const PRODUCERS = 4;
const BATCH = 5;
const ANSWER_MS = 10_000;
const RETRY_MS = 500;
/** Two looks for stalled jobs, a lock, and then as for Millrace. */
const DRAIN_MS = 150_000;
const WITHOUT: readonly FaultName[] = ['server killed'];

it(
  `tells what BullMQ loses and runs twice in ${MINUTES} min of the same faults`,
  async () => {
    await using fleet = await BullmqFleet.start();
    const seeded = new Seeded(SEED);
    const faults = new Faults(fleet, seeded);
    const accepted = new Set<string>();
    const end = new AbortController();
    const began = Date.now();
    const producers = Array.from({ length: PRODUCERS }, (_, n) =>
      produce(fleet, n, new Seeded(SEED + 1 + n), end.signal, accepted),
    );
    await faults.keep(timetable(MINUTES, WITHOUT, seeded));
    end.abort();
    await Promise.all(producers);
    const quietAt = Date.now();
    const stuck = await drained(fleet, accepted);
    const drainSeconds = seconds(Date.now() - quietAt);

    const terminal = await terminalIds(fleet);
    const byTask = fleet.executions.refresh().byTask();
    const counters = await Promise.all(
      [...accepted].map((id) => fleet.beside.hmget(`bull:${QUEUE}:${id}`, 'stc', 'failedReason')),
    );
    const restarts = restartsAfter(faults.kills, faults.outages, fleet.executions);
    const counts = faultCounts(faults.done, WITHOUT);
    report({
      system: 'bullmq',
      seed: SEED,
      minutes: MINUTES,
      faults: counts,
      faultsFailed: faults.failed,
      faultSeconds: seconds(quietAt - began),
      drainSeconds,
      accepted: accepted.size,
      executions: fleet.executions.all.size,
      completed: terminal.completed.size,
      failed: terminal.failed.size,
      lost: [...accepted].filter((id) => !terminal.completed.has(id) && !terminal.failed.has(id)).length,
      notTerminal: stuck,
      ranTwice: [...byTask.values()].filter((runs) => runs.filter(({ endedAt }) => endedAt !== null).length > 1).length,
      overMaximum: [...byTask.values()].filter((runs) => runs.length > MAX_RETRIES + 1).length,
      stalled: counters.filter(([stalls]) => Number(stalls ?? 0) > 0).length,
      failedForStalling: counters.filter(([, reason]) => /stalled/.test(reason ?? '')).length,
      restartMs: restartTimes(restarts),
    });
    for (const { planned, done } of Object.values(counts)) expect(done).toBe(planned);
  },
  MINUTES * 120_000 + DRAIN_MS + 120_000,
);

/** Each batch with the same ids until it is answered: as the careful clients of Millrace do. */
async function produce(
  fleet: BullmqFleet,
  n: number,
  seeded: Seeded,
  until: AbortSignal,
  accepted: Set<string>,
): Promise<void> {
  const queues = [0, 1].map((way) => {
    const queue = new Queue(QUEUE, { connection: fleet.place(n + way) });
    queue.on('error', () => undefined); // it connects again by itself
    return queue;
  });
  while (!until.aborted) {
    const jobs = Array.from({ length: BATCH }, () => {
      const { idempotency_key: jobId, payload } = soakTask(seeded);
      const opts = { jobId, attempts: MAX_RETRIES + 1, backoff: { type: 'fixed', delay: RETRY_MS } };
      return { name: QUEUE, data: payload, opts };
    });
    for (let tries = 0; ; tries++) {
      const adding = queues[tries % 2]?.addBulk(jobs).catch(() => undefined);
      const late = sleep(ANSWER_MS, undefined, { ref: false });
      if ((await Promise.race([adding, late])) !== undefined) break;
    }
    for (const { opts } of jobs) accepted.add(opts.jobId);
    await sleep(seeded.between(100, 400));
  }
  for (const queue of queues) await queue.disconnect();
}

async function terminalIds({ beside }: BullmqFleet): Promise<Record<'completed' | 'failed', Set<string>>> {
  const ids = async (set: string) => new Set(await beside.zrange(`bull:${QUEUE}:${set}`, '0', '-1'));
  return { completed: await ids('completed'), failed: await ids('failed') };
}

/** @returns how many were not terminal when the patience was over */
async function drained(fleet: BullmqFleet, accepted: Set<string>): Promise<number> {
  const deadline = performance.now() + DRAIN_MS;
  for (;;) {
    const { completed, failed } = await terminalIds(fleet);
    const open = [...accepted].filter((id) => !completed.has(id) && !failed.has(id)).length;
    if (open === 0 || performance.now() > deadline) return open;
    await sleep(500);
  }
}
