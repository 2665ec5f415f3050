/**
 * Gives a pool more processes while its oldest pending task waits too long, and fewer when they have nothing to do.
 *
 * Up is quick, one step in `UP_AFTER_MS`; down is slow, one step after `DOWN_AFTER_MS` of calm, so that a load that comes and
 * goes does not start and stop processes for ever. Between "too long" and "calm" lies a band where nothing changes.
 */
import { EVERY_QUEUE } from '#queue/contract/primitives';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import { Rounds } from '#queue/kernel/rounds';
import type { Service } from '#queue/kernel/service';

export const SAMPLE_EVERY_MS = 2_000;
export const UP_AFTER_MS = 4_000;
export const DOWN_AFTER_MS = 60_000;
/** Calm: the oldest task waits less than this share of the target. */
export const CALM_SHARE = 0.25;

export interface ScaleSample {
  /** Clock that never steps back, ms. */
  at: number;
  /** How long the oldest pending task of the pool's queues has waited; null where nothing is pending. */
  oldestAgeMs: number | null;
  runningTasks: number;
  processes: number;
}

export interface ScaleLimits {
  min: number;
  max: number;
  targetMs: number;
  /** Of one process. */
  concurrency: number;
}

/** Remembers since when a pool is late or calm. One for each pool. */
export class ScaleDecider {
  #lateSince: number | null = null;
  #calmSince: number | null = null;

  /** @returns how many processes there should be */
  decide(sample: ScaleSample, limits: ScaleLimits): number {
    const { at, processes, runningTasks } = sample;
    const age = sample.oldestAgeMs ?? 0;
    const late = age > limits.targetMs;
    const fitsInFewer = runningTasks <= limits.concurrency * (processes - 1);
    const calm = age <= limits.targetMs * CALM_SHARE && fitsInFewer;
    this.#lateSince = late ? (this.#lateSince ?? at) : null;
    this.#calmSince = calm ? (this.#calmSince ?? at) : null;
    const bounded = Math.min(limits.max, Math.max(limits.min, processes));
    if (bounded !== processes) return bounded;
    // With no process at all nobody would ever make the queue late but the clock: the first one comes at once.
    const wakes = processes === 0 && sample.oldestAgeMs !== null;
    if (processes < limits.max && (wakes || (this.#lateSince !== null && at - this.#lateSince >= UP_AFTER_MS))) {
      this.#lateSince = at;
      return processes + 1;
    }
    if (processes > limits.min && this.#calmSince !== null && at - this.#calmSince >= DOWN_AFTER_MS) {
      this.#calmSince = at;
      return processes - 1;
    }
    return processes;
  }
}

/** A pool, as the autoscaler sees it. */
export interface Scalable {
  readonly spec: {
    id: string;
    queues: readonly { name: string }[];
    concurrency: number;
    autoscale: { min: number; max: number; target_latency: number } | null;
  };
  readonly size: number;
  readonly runningTasks: number;
  scaleTo(processes: number): void;
}

export interface AutoscalerDeps {
  pools: () => readonly Scalable[];
  /** How long the oldest pending task of a queue has waited, ms; null where nothing is pending. */
  oldestAgeMs: (queue: string) => Promise<number | null>;
  /** All there are: a pool may serve every one of them. */
  queueNames: () => Promise<readonly string[]>;
  clock: Clock;
  log: Log;
}

export class Autoscaler implements Service {
  readonly name = 'autoscaler';
  readonly #deps: AutoscalerDeps;
  readonly #deciders = new Map<string, ScaleDecider>();
  readonly #rounds: Rounds;

  constructor(deps: AutoscalerDeps) {
    this.#deps = deps;
    const { clock, log } = deps;
    this.#rounds = new Rounds({
      clock,
      firstMs: SAMPLE_EVERY_MS,
      everyMs: () => SAMPLE_EVERY_MS,
      pass: () => this.#pass(),
      // Without Redis there is nothing to decide by; the pools stay as they are.
      onFault: (error) => log.debug('autoscaling could not look at the queues', { error }),
    });
  }

  start(): Promise<void> {
    return this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  async #pass(): Promise<void> {
    const pools = this.#deps.pools();
    for (const id of this.#deciders.keys()) if (!pools.some((pool) => pool.spec.id === id)) this.#deciders.delete(id);
    for (const pool of pools) if (pool.spec.autoscale !== null) await this.#scale(pool);
  }

  async #scale(pool: Scalable): Promise<void> {
    const { id, queues, concurrency, autoscale } = pool.spec;
    if (autoscale === null) return;
    const names = new Set(queues.map(({ name }) => name));
    if (names.delete(EVERY_QUEUE)) for (const name of await this.#deps.queueNames()) names.add(name);
    const ages = await Promise.all([...names].map((name) => this.#deps.oldestAgeMs(name)));
    const oldest = ages.reduce((most, age) => (age === null ? most : Math.max(most ?? 0, age)), null);
    const decider = this.#deciders.get(id) ?? new ScaleDecider();
    this.#deciders.set(id, decider);
    const { clock, log } = this.#deps;
    const sample = {
      at: clock.monotonic(),
      oldestAgeMs: oldest,
      runningTasks: pool.runningTasks,
      processes: pool.size,
    };
    const wanted = decider.decide(sample, { ...autoscale, targetMs: autoscale.target_latency * 1000, concurrency });
    if (wanted === pool.size) return;
    log.info('pool scaled', { pool: id, from: pool.size, to: wanted, oldest_age_ms: oldest });
    pool.scaleTo(wanted);
  }
}
