/**
 * Folds the event stream into rates, latencies and charts. One reader a server, no cost in Redis per task.
 *
 * Wait is the time from the moment a task is ready to its start. A task that was pending from the beginning is ready
 * when it is made, which its id says; one that came due, was requeued or handed back later is remembered here.
 */
import type { TaskEvent } from '../contract/lifecycle';
import { isoTime } from '../contract/primitives';
import type { QueueTypes, Timeseries } from '../contract/queue';
import type { Clock } from '../kernel/clock';
import { timeOfId } from '../kernel/ids';
import type { Log } from '../kernel/log';
import { mapEntry } from '../kernel/map-entry';
import type { Service } from '../kernel/service';
import { observe, percentiles } from './histogram';
import { type Bucket, emptyBucket, mergeBucket, type Sample, type Step } from './metric-bucket';
import { DepthColumns } from './metric-depths';
import { pointOf } from './metric-point';
import { type MetricStore, RESOLUTIONS } from './metric-store';
import { failingShare, type QueueFigures, type TypeFigures } from './metric-windows';
import type { EventFeed, TaskChange } from './ports';
import { SecondCounts } from './second-counts';
import { TypeMeter } from './type-meter';

export interface TimeseriesQuery {
  rangeSeconds: number;
  stepSeconds: number;
  /** Null: all. */
  queue: string | null;
  /** Queues whose depth is told as well; null: none, and no field for them. */
  depthsOf: readonly string[] | null;
}

export interface RecorderDeps {
  feed: EventFeed;
  store: Pick<MetricStore, 'read' | 'write'>;
  clock: Clock;
  log: Log;
  /** How things stand, by queue. */
  look: () => Promise<ReadonlyMap<string, Sample>>;
}

const STEP_MS = RESOLUTIONS[0].stepMs;
const LATENCY_WINDOW_MS = 300_000;
const HOUR_MS = 3_600_000;
/** Steps are held in memory so long, by resolution: what the windows need. */
const HELD_MS = [2 * LATENCY_WINDOW_MS, HOUR_MS + 2 * RESOLUTIONS[1].stepMs] as const;
/** Figures are good for so long: several clients ask for them several times a second. */
const FIGURES_MS = 1000;
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
  readonly #seconds = new SecondCounts();
  readonly #types: TypeMeter;
  #figures: { at: number; byQueue: ReadonlyMap<string, QueueFigures>; all: QueueFigures } | undefined;
  /** Null: it does not run. */
  #wholeFrom: number | null = null;
  #caughtUp = false;
  #loops: Promise<unknown> | undefined;

  constructor(deps: RecorderDeps) {
    this.#deps = deps;
    this.#types = new TypeMeter(deps.clock);
  }

  async start(): Promise<void> {
    if (this.#loops !== undefined) return;
    const { feed, clock } = this.#deps;
    this.#wholeFrom = clock.now();
    this.#types.begin();
    const signal = this.#stopping.signal;
    const following = feed.follow((item) => {
      if (item.kind === 'changes') for (const change of item.changes) this.#fold(change);
      else {
        this.#wholeFrom = clock.now();
        this.#types.begin();
      }
    }, signal);
    this.#loops = Promise.all([following, this.#close(signal)]);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loops;
    this.#wholeFrom = null;
  }

  async overview() {
    const { all } = this.#look();
    const { waitMs, failingShare, deadPerHour } = all;
    const throughput = this.#seconds.perSecond(null, 'completed', this.#deps.clock.now());
    return {
      throughput_per_second: throughput,
      latency_ms: waitMs,
      failing_share: failingShare,
      dead_per_hour: deadPerHour,
    };
  }

  async queueFigures(): Promise<ReadonlyMap<string, QueueFigures>> {
    return this.#look().byQueue;
  }

  async typeFigures(queue: string): Promise<{ since: QueueTypes['since']; types: ReadonlyMap<string, TypeFigures> }> {
    return { since: isoTime(this.#types.since), types: this.#types.of(queue) };
  }

  eventTotals(): ReadonlyMap<TaskEvent, number> {
    return this.#totals;
  }

  async timeseries({ rangeSeconds, stepSeconds, queue, depthsOf }: TimeseriesQuery): Promise<Timeseries> {
    const now = this.#deps.clock.now();
    const stepMs = Math.max(STEP_MS, Math.ceil((stepSeconds * 1000) / STEP_MS) * STEP_MS);
    const from = Math.floor((now - rangeSeconds * 1000) / stepMs) * stepMs;
    const level = rangeSeconds * 1000 <= RESOLUTIONS[0].keepMs || stepMs < RESOLUTIONS[1].stepMs ? 0 : 1;
    const resolution = RESOLUTIONS[level];
    const steps = await this.#deps.store.read(resolution.stepMs, from, now);
    for (const [at, step] of this.#steps[level] ?? []) if (at >= from && !steps.has(at)) steps.set(at, step);
    // A step of ours without an entry was looked at as well: nothing has happened in it yet.
    const looked = (at: number) => steps.has(at) || (this.#wholeFrom !== null && at >= this.#wholeFrom);
    const points: Timeseries['points'] = [];
    const depths = new DepthColumns(depthsOf ?? []);
    for (let at = from; at <= now; at += stepMs) {
      const byQueue = new Map<string, Bucket>();
      const parts: Step[] = [];
      let seen = false;
      for (let part = at; part < at + stepMs; part += resolution.stepMs) {
        seen ||= looked(part);
        const step = steps.get(part);
        if (step === undefined) continue;
        parts.push(step);
        for (const [name, bucket] of step)
          if (queue === null || name === queue) mergeBucket(entryOf(byQueue, name), bucket);
      }
      points.push(pointOf(at, seen ? [...byQueue.values()] : null));
      depths.add(parts);
    }
    const answer = { range: rangeSeconds, step: stepMs / 1000, queue, points };
    return depthsOf === null ? answer : { ...answer, queue_depths: depths.columns };
  }

  #fold(change: TaskChange): void {
    const { event, at, id, queue } = change;
    this.#totals.set(event, (this.#totals.get(event) ?? 0) + 1);
    this.#types.fold(change);
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
    if (event === 'created') this.#seconds.count(queue, at, 'created');
    else if (ended) this.#seconds.count(queue, at, event === 'completed' ? 'completed' : 'ended');
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

  /** The windows, merged of the steps; at most a second old. */
  #look() {
    const now = this.#deps.clock.now();
    if (this.#figures && Math.abs(now - this.#figures.at) < FIGURES_MS) return this.#figures;
    const latest = mergeSince(this.#steps[0], now - LATENCY_WINDOW_MS);
    const hour = mergeSince(this.#steps[1], now - HOUR_MS);
    const figures = (queue: string | null, last: Bucket | undefined, dead: number): QueueFigures => ({
      in: this.#seconds.perSecond(queue, 'created', now),
      out: this.#seconds.perSecond(queue, 'ended', now),
      waitMs: percentiles(last?.wait ?? new Map()),
      runMs: percentiles(last?.run ?? new Map()),
      failingShare: failingShare(last),
      deadPerHour: dead,
    });
    const all = emptyBucket();
    let dead = 0;
    for (const bucket of latest.values()) mergeBucket(all, bucket);
    for (const bucket of hour.values()) dead += bucket.dead;
    const byQueue = new Map(
      [...new Set([...latest.keys(), ...hour.keys(), ...this.#seconds.queues()])].map((queue) => [
        queue,
        figures(queue, latest.get(queue), hour.get(queue)?.dead ?? 0),
      ]),
    );
    this.#figures = { at: now, byQueue, all: figures(null, all, dead) };
    return this.#figures;
  }

  /** What servers before this one have seen of the last hour, as far as the windows need it. */
  async #catchUp(startedAt: number): Promise<void> {
    if (this.#caughtUp) return;
    const { store } = this.#deps;
    for (const [level, { stepMs }] of RESOLUTIONS.entries()) {
      const steps = this.#steps[level];
      if (!steps) continue;
      for (const [at, step] of await store.read(stepMs, startedAt - (HELD_MS[level] ?? 0), startedAt))
        if (!steps.has(at)) steps.set(at, step);
    }
    this.#caughtUp = true;
    this.#figures = undefined;
  }

  /** Writes steps that are over, and forgets old ones. */
  async #close(signal: AbortSignal): Promise<void> {
    const { clock, store, log, look } = this.#deps;
    // Steps that were over before this server came are not its to write.
    const startedAt = clock.now();
    const written = RESOLUTIONS.map(({ stepMs }) => Math.floor(startedAt / stepMs) * stepMs - stepMs);
    while (!signal.aborted) {
      await this.#catchUp(startedAt).catch((error: unknown) => log.debug('earlier metrics are read later', { error }));
      const now = clock.now();
      const next = Math.floor(now / STEP_MS) * STEP_MS + STEP_MS + CLOSE_AFTER_MS;
      await clock.sleep(next - now, signal);
      if (signal.aborted) return;
      try {
        const over = clock.now() - CLOSE_AFTER_MS;
        this.#sample(Math.floor(over / STEP_MS) * STEP_MS - STEP_MS, await look());
        for (const [level, { stepMs, keepMs }] of RESOLUTIONS.entries()) {
          for (const [at, step] of this.#steps[level] ?? []) {
            if (at + stepMs <= over && at > (written[level] ?? 0)) {
              await store.write(stepMs, at, step, this.#wholeFrom !== null && at >= this.#wholeFrom, keepMs);
              written[level] = at;
            }
            if (at < over - (HELD_MS[level] ?? 0)) this.#steps[level]?.delete(at);
          }
        }
      } catch (error) {
        log.debug('metrics are written later', { error });
      }
    }
  }

  #sample(at: number, samples: ReadonlyMap<string, Sample>): void {
    RESOLUTIONS.forEach(({ stepMs }, level) => {
      const steps = this.#steps[level];
      const begin = Math.floor(at / stepMs) * stepMs;
      if (!steps) return;
      const step = mapEntry(steps, begin, () => new Map());
      for (const [queue, sample] of samples) entryOf(step, queue).sample = sample;
    });
  }
}

function entryOf(step: Step, queue: string): Bucket {
  return mapEntry(step, queue, emptyBucket);
}

/** By queue, everything in steps that begin at `from` or later. */
function mergeSince(steps: ReadonlyMap<number, Step> | undefined, from: number): Step {
  const merged: Step = new Map();
  for (const [at, step] of steps ?? []) {
    if (at < from) continue;
    for (const [queue, bucket] of step) mergeBucket(entryOf(merged, queue), bucket);
  }
  return merged;
}
