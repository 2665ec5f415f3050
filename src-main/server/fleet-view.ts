/**
 * Queues, workers and the overview as they are answered: what the engine knows, with what the worker directory and the
 * metrics add. The event stream's snapshots are made of the same.
 */
import { EVERY_QUEUE, isoTimeOrNull } from '#queue/contract/primitives';
import { type Queue, type QueueTypes, type StatsOverview, sumCounts, totalOf } from '#queue/contract/queue';
import type { Worker } from '#queue/contract/worker';
import type { QueueFigures } from '#queue/engine/metric-windows';
import type { QueueLimitsMs, QueueState, TaskReader, WorkerDirectory } from '#queue/engine/ports';
import type { Clock } from '#queue/kernel/clock';
import type { MetricsSource, QueueRates } from './ports';
import { Recent } from './recent';

/** How old the list of workers may be where it only serves a hint. */
const WORKERS_MAX_AGE_MS = 1000;
/** Counted for a badge: it need not be newer. */
const GROUPS_MAX_AGE_MS = 2000;
const NOTHING = { p50: null, p95: null, p99: null };
export const NO_TRAFFIC: QueueFigures = {
  in: 0,
  out: 0,
  waitMs: NOTHING,
  runMs: NOTHING,
  failingShare: null,
  deadPerHour: 0,
};

export interface FleetDeps {
  reader: TaskReader;
  directory: WorkerDirectory;
  metrics: MetricsSource;
  clock: Clock;
}

export class FleetView {
  readonly #deps: FleetDeps;
  readonly #workers: Recent<Worker[]>;
  readonly #failureGroups: Recent<number>;
  #asked: Promise<QueueState[]> | undefined;

  constructor(deps: FleetDeps) {
    this.#deps = deps;
    this.#workers = new Recent(() => deps.directory.list(), WORKERS_MAX_AGE_MS, deps.clock);
    this.#failureGroups = new Recent(() => deps.reader.errorGroupCount(), GROUPS_MAX_AGE_MS, deps.clock);
  }

  /** At most a second old. */
  workers(): Promise<Worker[]> {
    return this.#workers.get();
  }

  /** One reading for all who ask in the same turn of the event loop: it begins after the last of them has asked. */
  #queueStates(): Promise<QueueState[]> {
    this.#asked ??= Promise.resolve().then(() => {
      this.#asked = undefined;
      return this.#deps.reader.queueStates();
    });
    return this.#asked;
  }

  /** By name. */
  async queues(): Promise<Queue[]> {
    const [states, workers, rates] = await Promise.all([
      this.#queueStates(),
      this.workers(),
      this.#deps.metrics.queueFigures(),
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
      this.#deps.metrics.queueFigures(),
    ]);
    return state === null ? null : toQueue(state, rates.get(name) ?? NO_TRAFFIC, workers);
  }

  async overview(): Promise<StatsOverview> {
    const [states, workers, numbers] = await Promise.all([
      this.#queueStates(),
      this.workers(),
      this.#deps.metrics.overview(),
    ]);
    const counts = sumCounts(states.map((state) => state.counts));
    const failure_groups = counts.failed === 0 ? 0 : await this.#failureGroups.get();
    return {
      total: totalOf(counts),
      ...counts,
      workers: workers.length,
      ...numbers,
      failure_groups,
      oldest_pending: oldestPending(states),
      ...slotsOf(workers),
    };
  }

  /** @returns null for a queue that nobody has ever used */
  async types(name: string): Promise<QueueTypes | null> {
    const { reader, metrics } = this.#deps;
    const [state, workers, seen] = await Promise.all([
      reader.queueState(name),
      this.workers(),
      metrics.typeFigures(name),
    ]);
    if (state === null) return null;
    const pending = await reader.pendingTypes(name);
    const running = new Map<string, number>();
    for (const task of workers.flatMap((worker) => worker.running))
      if (task.queue === name) running.set(task.task_type, (running.get(task.task_type) ?? 0) + 1);
    const names = new Set([...pending.byType.keys(), ...running.keys(), ...seen.types.keys()]);
    return {
      queue: name,
      since: seen.since,
      pending_total: pending.total,
      pending_sampled: pending.sampled,
      types: [...names]
        .map((type) => {
          const figures = seen.types.get(type) ?? NO_TRAFFIC;
          return {
            task_type: type,
            pending: pending.byType.get(type) ?? 0,
            running: running.get(type) ?? 0,
            rate_in: figures.in,
            rate_out: figures.out,
            run_ms: figures.runMs,
            failing_share: figures.failingShare,
            failed_per_hour: figures.deadPerHour,
          };
        })
        .sort((a, b) => b.pending - a.pending || (a.task_type < b.task_type ? -1 : 1)),
    };
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

export const toQueueLimits = ({
  concurrency,
  rate,
  targetAgeMs,
  agingMs,
  durability,
  shards,
}: QueueLimitsMs): Queue['limits'] => ({
  concurrency,
  durability,
  shards,
  rate: rate === null ? null : { max: rate.max, per: rate.perMs / 1000 },
  target_age: targetAgeMs === null ? null : targetAgeMs / 1000,
  aging: agingMs === null ? null : agingMs / 1000,
});

/** A worker of an older version does not tell: it counts as asking while it takes tasks at all. */
export const isFetching = (worker: Worker): boolean => worker.fetching ?? worker.state === 'running';

/** What workers have for tasks, together. */
const slotsOf = (workers: readonly Worker[]) => ({
  fetching: workers.filter(isFetching).length,
  slots: workers.reduce((sum, { concurrency }) => sum + concurrency, 0),
  busy: workers.reduce((sum, { running }) => sum + running.length, 0),
});

const waitedMs = ({ oldestPendingAt, now }: QueueState): number | null =>
  oldestPendingAt === null ? null : Math.max(0, now - oldestPendingAt);

function oldestPending(states: readonly QueueState[]): StatsOverview['oldest_pending'] {
  let oldest: StatsOverview['oldest_pending'] = null;
  for (const state of states) {
    const ms = waitedMs(state);
    if (ms === null || state.paused || (oldest !== null && ms / 1000 <= oldest.age)) continue;
    oldest = { queue: state.name, age: ms / 1000, target_age: toQueueLimits(state.limits).target_age };
  }
  return oldest;
}

export function toQueue(state: QueueState, figures: QueueFigures, workers: readonly Worker[]): Queue {
  const oldestMs = waitedMs(state);
  const { fetching, slots } = slotsOf(workers.filter((worker) => servesQueue(worker, state.name)));
  return {
    name: state.name,
    paused: state.paused,
    depth: state.counts,
    oldest_pending_age: oldestMs === null ? null : oldestMs / 1000,
    late: oldestMs !== null && state.limits.targetAgeMs !== null && oldestMs > state.limits.targetAgeMs,
    rate_in: figures.in,
    rate_out: figures.out,
    eta_seconds: drainSeconds(state, figures),
    limits: toQueueLimits(state.limits),
    workers: workers.filter((worker) => servesQueue(worker, state.name)).length,
    fetching,
    running: state.counts.processing,
    slots,
    oldest_pending_at: isoTimeOrNull(state.oldestPendingAt),
    wait_ms: figures.waitMs,
    run_ms: figures.runMs,
    failing_share: figures.failingShare,
    failed_per_hour: figures.deadPerHour,
  };
}

/** Null where the queue does not get shorter. */
function drainSeconds({ counts, paused }: QueueState, rates: QueueRates): number | null {
  if (counts.pending === 0) return 0;
  const net = rates.out - rates.in;
  return paused || net <= 0 ? null : counts.pending / net;
}
