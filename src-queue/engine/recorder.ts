/**
 * Folds the event stream into rates, latencies and charts. One reader a server, no cost in Redis per task.
 *
 * Wait is the time from the moment a task is ready to its start. A task that was pending from the beginning is ready
 * when it is made, which its id says; one that came due, was requeued or handed back later is remembered here.
 */
import type { TaskEvent } from '../contract/lifecycle';
import { isoTime } from '../contract/primitives';
import type { Timeseries } from '../contract/queue';
import type { Clock } from '../kernel/clock';
import { timeOfId } from '../kernel/ids';
import type { Log } from '../kernel/log';
import { mapEntry } from '../kernel/map-entry';
import type { Service } from '../kernel/service';
import { type Histogram, mergeInto, observe, percentiles } from './histogram';
import { type Bucket, emptyBucket, mergeBucket, type Step } from './metric-bucket';
import { type MetricStore, RESOLUTIONS } from './metric-store';
import type { EventFeed, TaskChange } from './ports';

export interface RecorderDeps {
  feed: EventFeed;
  store: MetricStore;
  clock: Clock;
  log: Log;
  /** Pending tasks by queue. */
  depths: () => Promise<ReadonlyMap<string, number>>;
}

const STEP_MS = RESOLUTIONS[0].stepMs;
const RATE_WINDOW_MS = 60_000;
const LATENCY_WINDOW_MS = 300_000;
/** Tasks whose moment of readiness is remembered, the newest. */
const READY_REMEMBERED = 100_000;
/** A step is closed so long after its end: events of its last moment may still be on their way. */
const CLOSE_AFTER_MS = 1000;

export class Recorder implements Service {
  readonly name = 'recorder';
  readonly #deps: RecorderDeps;
  readonly #stopping = new AbortController();
  readonly #steps = RESOLUTIONS.map(() => new Map<number, Step>());
  readonly #ready = new Map<string, number>();
  readonly #totals = new Map<TaskEvent, number>();
  /** Seconds of the rate window, by queue: [second, created, ended]. */
  readonly #seconds = new Map<string, [second: number, created: number, ended: number, completed: number][]>();
  #wholeFrom = 0;
  #loops: Promise<unknown> | undefined;

  constructor(deps: RecorderDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    if (this.#loops !== undefined) return;
    const { feed, clock } = this.#deps;
    this.#wholeFrom = clock.now();
    const signal = this.#stopping.signal;
    const following = feed.follow((item) => {
      if (item.kind === 'changes') for (const change of item.changes) this.#fold(change);
      else this.#wholeFrom = clock.now();
    }, signal);
    this.#loops = Promise.all([following, this.#close(signal)]);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loops;
  }

  async overview() {
    const now = this.#deps.clock.now();
    const wait: Histogram = new Map();
    for (const [at, step] of this.#steps[0] ?? []) {
      if (at < now - LATENCY_WINDOW_MS) continue;
      for (const bucket of step.values()) mergeInto(wait, bucket.wait);
    }
    let completed = 0;
    for (const seconds of this.#seconds.values()) completed += sumSince(seconds, now, 3);
    return { throughput_per_second: perSecond(completed), latency_ms: percentiles(wait) };
  }

  async queueRates(): Promise<ReadonlyMap<string, { in: number; out: number }>> {
    const now = this.#deps.clock.now();
    return new Map(
      [...this.#seconds].map(([queue, seconds]) => [
        queue,
        { in: perSecond(sumSince(seconds, now, 1)), out: perSecond(sumSince(seconds, now, 2)) },
      ]),
    );
  }

  eventTotals(): ReadonlyMap<TaskEvent, number> {
    return this.#totals;
  }

  async timeseries({
    rangeSeconds,
    stepSeconds,
    queue,
  }: {
    rangeSeconds: number;
    stepSeconds: number;
    queue: string | null;
  }): Promise<Timeseries> {
    const now = this.#deps.clock.now();
    const stepMs = Math.max(STEP_MS, Math.ceil((stepSeconds * 1000) / STEP_MS) * STEP_MS);
    const from = Math.floor((now - rangeSeconds * 1000) / stepMs) * stepMs;
    const level = rangeSeconds * 1000 <= RESOLUTIONS[0].keepMs || stepMs < RESOLUTIONS[1].stepMs ? 0 : 1;
    const resolution = RESOLUTIONS[level];
    const steps = await this.#deps.store.read(resolution.stepMs, from, now);
    for (const [at, step] of this.#steps[level] ?? []) if (at >= from && !steps.has(at)) steps.set(at, step);
    const points: Timeseries['points'] = [];
    for (let at = from; at <= now; at += stepMs) {
      const byQueue = new Map<string, Bucket>();
      for (let part = at; part < at + stepMs; part += resolution.stepMs) {
        for (const [name, bucket] of steps.get(part) ?? []) {
          if (queue === null || name === queue) mergeBucket(entryOf(byQueue, name), bucket);
        }
      }
      points.push(pointOf(at, [...byQueue.values()]));
    }
    return { range: rangeSeconds, step: stepMs / 1000, queue, points };
  }

  #fold(change: TaskChange): void {
    const { event, at, id, queue } = change;
    this.#totals.set(event, (this.#totals.get(event) ?? 0) + 1);
    if (event === 'started') this.#observe(change, 'started', 'wait', at - (this.#ready.get(id) ?? timeOfId(id)));
    if (event === 'created') this.#observe(change, 'created');
    if (event === 'completed') this.#observe(change, 'completed', 'run', at - (change.startedAt ?? at));
    const failedAttempt = event === 'retrying' || event === 'lease_lost' || event === 'failed';
    if (failedAttempt)
      this.#observe(change, 'failed', 'run', change.startedAt === undefined ? undefined : at - change.startedAt);
    if (event === 'failed' || event === 'expired') this.#observe(change, 'dead');
    if (change.status === 'pending' && event !== 'created') this.#remember(id, at);
    else if (event === 'started') this.#ready.delete(id);
    const ended = event === 'completed' || event === 'failed' || event === 'cancelled' || event === 'expired';
    if (ended || event === 'created') this.#count(queue, at, event === 'created', event === 'completed');
  }

  #observe(
    change: TaskChange,
    count: 'created' | 'started' | 'completed' | 'failed' | 'dead',
    histogram?: 'wait' | 'run',
    ms?: number,
  ): void {
    RESOLUTIONS.forEach(({ stepMs }, level) => {
      const steps = this.#steps[level];
      if (!steps) return;
      const at = Math.floor(change.at / stepMs) * stepMs;
      const step = mapEntry(steps, at, () => new Map());
      const bucket = entryOf(step, change.queue);
      bucket[count]++;
      if (histogram !== undefined && ms !== undefined) observe(bucket[histogram], ms);
    });
  }

  #remember(id: string, at: number): void {
    this.#ready.delete(id);
    this.#ready.set(id, at);
    const oldest = this.#ready.size > READY_REMEMBERED ? this.#ready.keys().next().value : undefined;
    if (oldest !== undefined) this.#ready.delete(oldest);
  }

  #count(queue: string, at: number, created: boolean, completed: boolean): void {
    const seconds = mapEntry(this.#seconds, queue, () => []);
    const second = Math.floor(at / 1000);
    let last = seconds.at(-1);
    if (last?.[0] !== second) {
      last = [second, 0, 0, 0];
      seconds.push(last);
      while ((seconds[0]?.[0] ?? second) <= second - RATE_WINDOW_MS / 1000) seconds.shift();
    }
    last[created ? 1 : 2]++;
    if (completed) last[3]++;
  }

  /** Writes steps that are over, and forgets old ones. */
  async #close(signal: AbortSignal): Promise<void> {
    const { clock, store, log, depths } = this.#deps;
    const written = RESOLUTIONS.map(() => 0);
    while (!signal.aborted) {
      const now = clock.now();
      const next = Math.floor(now / STEP_MS) * STEP_MS + STEP_MS + CLOSE_AFTER_MS;
      await clock.sleep(next - now, signal);
      if (signal.aborted) return;
      try {
        const over = clock.now() - CLOSE_AFTER_MS;
        this.#lookAtDepths(Math.floor(over / STEP_MS) * STEP_MS - STEP_MS, await depths());
        for (const [level, { stepMs, keepMs }] of RESOLUTIONS.entries()) {
          for (const [at, step] of this.#steps[level] ?? []) {
            if (at + stepMs <= over && at > (written[level] ?? 0)) {
              await store.write(stepMs, at, step, at >= this.#wholeFrom, keepMs);
              written[level] = at;
            }
            if (at < over - Math.min(keepMs, 2 * LATENCY_WINDOW_MS)) this.#steps[level]?.delete(at);
          }
        }
      } catch (error) {
        log.debug('metrics are written later', { error });
      }
    }
  }

  #lookAtDepths(at: number, depths: ReadonlyMap<string, number>): void {
    RESOLUTIONS.forEach(({ stepMs }, level) => {
      const steps = this.#steps[level];
      const begin = Math.floor(at / stepMs) * stepMs;
      if (!steps) return;
      const step = mapEntry(steps, begin, () => new Map());
      for (const [queue, depth] of depths) entryOf(step, queue).depth = depth;
    });
  }
}

function entryOf(step: Step, queue: string): Bucket {
  return mapEntry(step, queue, emptyBucket);
}

const sumSince = (seconds: readonly (readonly number[])[], now: number, column: 1 | 2 | 3): number =>
  seconds.reduce((sum, row) => ((row[0] ?? 0) * 1000 >= now - RATE_WINDOW_MS ? sum + (row[column] ?? 0) : sum), 0);

const perSecond = (count: number): number => Math.round((count / (RATE_WINDOW_MS / 1000)) * 100) / 100;

function pointOf(at: number, buckets: readonly Bucket[]): Timeseries['points'][number] {
  const all = emptyBucket();
  let depth: number | null = null;
  for (const bucket of buckets) {
    mergeBucket(all, bucket);
    if (bucket.depth !== null) depth = (depth ?? 0) + bucket.depth;
  }
  return {
    at: isoTime(at),
    created: all.created,
    started: all.started,
    completed: all.completed,
    failed: all.failed,
    dead: all.dead,
    wait_ms: percentiles(all.wait),
    run_ms: percentiles(all.run),
    depth,
  };
}
