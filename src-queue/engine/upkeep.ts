/**
 * The upkeep that keeps queues moving when nobody works on them: reap, promote, expire, relay, prune, and put right what
 * is damaged. Every process runs it, none leads: the scripts make extra passes harmless. A queue that cannot be looked
 * after holds up no other.
 */
import { type ErrorCode, QueueError } from '../contract/errors';
import type { Clock } from '../kernel/clock';
import type { Log } from '../kernel/log';
import { Rounds } from '../kernel/rounds';
import type { Service } from '../kernel/service';
import type { Repairs } from '../redis/scripts/repair';

export interface UpkeepDeps {
  clock: Clock;
  log: Log;
  queueNames: () => Promise<readonly string[]>;
  tick: (queue: string) => Promise<{ capMs: number; nextLeaseInMs: number | null; repairs: Repairs }>;
  /** Evenly in [0, 1): spreads the passes of many processes. */
  random: () => number;
}

const EVERY_MS = 1000;
const MIN_EVERY_MS = 100;
/** Where a lease runs out, all processes look at that moment, this far apart: its task starts again at once. */
const SPREAD_MS = 50;
/** Queues that are looked after at the same time: a thousand of them must not cost a thousand round trips. */
const TOGETHER = 16;
const OF_THE_WHOLE_STORE: ReadonlySet<ErrorCode> = new Set(['REDIS_UNREACHABLE', 'STORE_LAYOUT']);

export class Upkeep implements Service {
  readonly name = 'upkeep';
  readonly #deps: UpkeepDeps;
  readonly #rounds: Rounds;
  #everyMs = EVERY_MS;
  /** When the first lease runs out, monotonic ms. */
  #leaseEndsAt = Number.POSITIVE_INFINITY;
  #failing = false;
  /** Queues whose last tick failed by themselves, and not because Redis was away. */
  readonly #damaged = new Set<string>();

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
    const { clock, random, log } = deps;
    this.#rounds = new Rounds({
      clock,
      everyMs: () => {
        const leaseMs = Math.max(MIN_EVERY_MS, this.#leaseEndsAt - clock.monotonic()) + SPREAD_MS * random();
        return Math.min(this.#everyMs * (0.8 + 0.2 * random()), leaseMs);
      },
      pass: (signal) => this.#pass(signal),
      onFault: (error) => {
        // An outage is told once.
        if (!this.#failing) log.warn('upkeep failed; it is tried again every second', { error });
        this.#failing = true;
      },
    });
  }

  start(): Promise<void> {
    return this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const { queueNames, log } = this.#deps;
    this.#everyMs = EVERY_MS;
    this.#leaseEndsAt = Number.POSITIVE_INFINITY;
    const queues = await queueNames();
    for (let from = 0; from < queues.length && !signal.aborted; from += TOGETHER) {
      const caps = await Promise.all(queues.slice(from, from + TOGETHER).map((queue) => this.#lookAfter(queue)));
      // Never slower than the queue clock's cap: it moves by at most that much a pass.
      this.#everyMs = Math.max(MIN_EVERY_MS, Math.min(this.#everyMs, ...caps));
    }
    if (this.#failing) log.info('upkeep goes on');
    this.#failing = false;
  }

  /** @returns the cap of its clock, ms @throws where Redis is away, or the store as a whole is left alone */
  async #lookAfter(queue: string): Promise<number> {
    const { tick, log, clock } = this.#deps;
    try {
      const { capMs, nextLeaseInMs, repairs } = await tick(queue);
      if (nextLeaseInMs !== null) this.#leaseEndsAt = Math.min(this.#leaseEndsAt, clock.monotonic() + nextLeaseInMs);
      if (Object.values(repairs).some((count) => count > 0))
        log.warn('a queue was damaged in Redis, and put right as far as it could be', { queue, ...repairs });
      if (this.#damaged.delete(queue)) log.info('upkeep of the queue goes on', { queue });
      return capMs;
    } catch (error) {
      if (error instanceof QueueError && OF_THE_WHOLE_STORE.has(error.code)) throw error;
      if (!this.#damaged.has(queue))
        log.error('upkeep of a queue failed; it is tried again every second', { queue, error });
      this.#damaged.add(queue);
      return EVERY_MS;
    }
  }
}
