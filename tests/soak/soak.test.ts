/**
 * Producers, servers, workers, and faults in an order that a seed gives. Then quiet: everything drains, and the books are
 * checked. One JSON line a run. `npm run soak -- --minutes N --seed S`.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { decodeHistory, decodeRecord } from '#queue/redis/task-record';
import { waitFor } from '../support/millrace-process';
import { readQueue } from '../support/queue-snapshot';
import { FAULTS } from './faults';
import { Fleet } from './fleet';
import { Seeded } from './seeded';

const MINUTES = Number(process.env.SOAK_MINUTES ?? 2);
const SEED = Number(process.env.SOAK_SEED ?? Date.now() % 2 ** 31);
const PRODUCERS = 4;
const BATCH = 5;
const DRAIN_MS = 240_000;
const Accepted = z.object({ ids: z.array(z.string().nullable()) });

it(
  `loses nothing and writes nothing twice in ${MINUTES} min of faults`,
  async () => {
    await using fleet = await Fleet.start();
    const seeded = new Seeded(SEED);
    const accepted = new Set<string>();
    const end = performance.now() + MINUTES * 60_000;
    const tried: Record<string, number> = {};
    const producers = Array.from({ length: PRODUCERS }, (_, n) =>
      produce(fleet, n, new Seeded(SEED + n), accepted, end),
    );

    const underWay = new Set<Promise<void>>();
    while (performance.now() < end) {
      const [name, fault] = seeded.pick(FAULTS.map(([weight, ...rest]) => [weight, rest] as const));
      tried[name] = (tried[name] ?? 0) + 1;
      const done = fault(fleet, seeded).finally(() => underWay.delete(done));
      underWay.add(done);
      if (name.startsWith('Redis')) await done; // one at a time
      await sleep(seeded.between(500, 4000));
    }
    await Promise.all(underWay);
    await Promise.all(producers);

    const drained = performance.now();
    const api = fleet.api(1);
    const left = await waitFor(
      'the queue to drain',
      async () => {
        const { pending, processing, retrying, scheduled, failed } = await fleet.world.stats(api);
        return pending + processing + retrying + scheduled === 0 ? { failed } : null;
      },
      DRAIN_MS,
    );
    const { store } = fleet.world.engine;
    const queue = await store.command('read it all', (redis) => readQueue(redis, store.keys, 'default'));
    const terminal = new Set([...queue.sets.completed.keys(), ...queue.sets.failed.keys()]);
    const histories = [...queue.histories].map(([id, text]) => ({ id, segments: decodeHistory(text) }));
    const result = {
      seed: SEED,
      minutes: MINUTES,
      faults: tried,
      accepted: accepted.size,
      lost: [...accepted].filter((id) => !terminal.has(id)).length,
      completed: queue.sets.completed.size,
      failed: left.failed,
      twice: histories.filter(({ segments }) => segments.filter(({ kind }) => kind === 'C').length > 1).length,
      leasesLost: histories.flatMap(({ segments }) => segments).filter(({ kind }) => kind === 'L').length,
      over: histories.filter(({ id, segments }) => {
        const { maxAttempts } = decodeRecord(queue.records.get(id) ?? '');
        return segments.some(({ item }) => item.attempt > maxAttempts);
      }).length,
      overlapping: histories.filter(({ segments }) => overlap(segments)).length,
      drainSeconds: Math.round((performance.now() - drained) / 1000),
    };
    process.stdout.write(`soak: ${JSON.stringify(result)}\n`);
    expect(result).toMatchObject({ lost: 0, twice: 0, over: 0, overlapping: 0 });
    expect(await fleet.world.violations()).toEqual([]);
  },
  MINUTES * 60_000 + DRAIN_MS + 120_000,
);

/** Whether an execution began before the one before it was over: two leases at the same time. */
function overlap(segments: ReturnType<typeof decodeHistory>): boolean {
  const runs = segments.filter(({ item, kind }) => item.startedAt !== null && kind !== 'Q');
  return runs.some(({ item }, n) => n > 0 && (item.startedAt ?? 0) < (runs[n - 1]?.at ?? 0));
}

/** Submits until the end, each batch again with the same keys until it is answered: as a careful client does. */
async function produce(fleet: Fleet, n: number, seeded: Seeded, accepted: Set<string>, end: number): Promise<void> {
  while (performance.now() < end) {
    const tasks = Array.from({ length: BATCH }, () => ({
      task_type: 'soak',
      idempotency_key: randomUUID(),
      max_retries: 6,
      backoff: { base: 0.2, max: 2 },
      payload: {
        ms: seeded.between(0, 400),
        failures: seeded.pick([
          [8, 0],
          [1, 1],
          [1, 2],
        ]),
        deadly: seeded.next() < 0.001,
      },
    }));
    for (let tries = 0; ; tries++) {
      const answer = await fleet
        .api(n + tries)
        .call('POST', '/api/tasks/bulk', { tasks })
        .catch(() => null);
      if (answer?.status === 201) {
        const { ids } = Accepted.parse(await answer.json());
        for (const id of ids) if (id !== null) accepted.add(id);
        break;
      }
      await sleep(100);
    }
    await sleep(seeded.between(20, 200));
  }
}
