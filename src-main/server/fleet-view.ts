/**
 * Queues, workers and the overview as they are answered: what the engine knows, with what the worker directory and the
 * metrics add. The event stream's snapshots are made of the same.
 */

import { EVERY_QUEUE } from '#queue/contract/primitives';
import { type Queue, type StatsOverview, sumCounts, totalOf } from '#queue/contract/queue';
import type { Worker } from '#queue/contract/worker';
import type { QueueLimitsMs, QueueState, TaskReader, WorkerDirectory } from '#queue/engine/ports';
import type { Clock } from '#queue/kernel/clock';
import type { MetricsSource, QueueRates } from './ports';
import { Recent } from './recent';

/** How old the list of workers may be where it only serves a hint. */
const WORKERS_MAX_AGE_MS = 1000;
const NO_TRAFFIC: QueueRates = { in: 0, out: 0 };

export interface FleetDeps {
  reader: TaskReader;
  directory: WorkerDirectory;
  metrics: MetricsSource;
  clock: Clock;
}

export class FleetView {
  readonly #deps: FleetDeps;
  readonly #workers: Recent<Worker[]>;

  constructor(deps: FleetDeps) {
    this.#deps = deps;
    this.#workers = new Recent(() => deps.directory.list(), WORKERS_MAX_AGE_MS, deps.clock);
  }

  /** At most a second old. */
  workers(): Promise<Worker[]> {
    return this.#workers.get();
  }

  /** By name. */
  async queues(): Promise<Queue[]> {
    const [states, workers, rates] = await Promise.all([
      this.#deps.reader.queueStates(),
      this.workers(),
      this.#deps.metrics.queueRates(),
    ]);
    return states
      .map((state) => toQueue(state, rates.get(state.name) ?? NO_TRAFFIC, workers))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @returns null for a queue that nobody has ever used */
  async queue(name: string): Promise<Queue | null> {
    const [state, workers, rates] = await Promise.all([
      this.#deps.reader.queueState(name),
      this.workers(),
      this.#deps.metrics.queueRates(),
    ]);
    return state === null ? null : toQueue(state, rates.get(name) ?? NO_TRAFFIC, workers);
  }

  async overview(): Promise<StatsOverview> {
    const [states, workers, numbers] = await Promise.all([
      this.#deps.reader.queueStates(),
      this.workers(),
      this.#deps.metrics.overview(),
    ]);
    const counts = sumCounts(states.map((state) => state.counts));
    return { total: totalOf(counts), ...counts, workers: workers.length, ...numbers };
  }

  /** What a caller should know of a task that it has just submitted; nothing where the workers cannot be read. */
  async warningsFor(type: string, queue: string): Promise<string[]> {
    const workers = await this.workers().catch(() => null);
    if (workers === null) return [];
    const ofType = workers.filter((worker) => worker.task_types.includes(type));
    if (ofType.length === 0) return [`no live worker serves the task type "${type}"; the task waits until one does`];
    if (!ofType.some((worker) => servesQueue(worker, queue))) {
      return [`no live worker serves the task type "${type}" in the queue "${queue}"; the task waits until one does`];
    }
    return [];
  }
}

export const servesQueue = (worker: Worker, queue: string): boolean =>
  worker.queues.some(({ name }) => name === queue || name === EVERY_QUEUE);

export const toQueueLimits = ({ concurrency, rate, targetAgeMs, agingMs }: QueueLimitsMs): Queue['limits'] => ({
  concurrency,
  rate: rate === null ? null : { max: rate.max, per: rate.perMs / 1000 },
  target_age: targetAgeMs === null ? null : targetAgeMs / 1000,
  aging: agingMs === null ? null : agingMs / 1000,
});

export function toQueue(state: QueueState, rates: QueueRates, workers: readonly Worker[]): Queue {
  const oldestMs = state.oldestPendingAt === null ? null : Math.max(0, state.now - state.oldestPendingAt);
  return {
    name: state.name,
    paused: state.paused,
    depth: state.counts,
    oldest_pending_age: oldestMs === null ? null : oldestMs / 1000,
    late: oldestMs !== null && state.limits.targetAgeMs !== null && oldestMs > state.limits.targetAgeMs,
    rate_in: rates.in,
    rate_out: rates.out,
    eta_seconds: drainSeconds(state, rates),
    limits: toQueueLimits(state.limits),
    workers: workers.filter((worker) => servesQueue(worker, state.name)).length,
  };
}

/** Null where the queue does not get shorter. */
function drainSeconds({ counts, paused }: QueueState, rates: QueueRates): number | null {
  if (counts.pending === 0) return 0;
  const net = rates.out - rates.in;
  return paused || net <= 0 ? null : counts.pending / net;
}
