/**
 * The upkeep that keeps queues moving when nobody works on them: reap, promote, expire, relay, prune. Every process
 * runs it, none leads: the scripts make extra passes harmless.
 */
import type { Clock } from '../kernel/clock';
import type { Log } from '../kernel/log';
import { Rounds } from '../kernel/rounds';
import type { Service } from '../kernel/service';

export interface UpkeepDeps {
  clock: Clock;
  log: Log;
  queueNames: () => Promise<readonly string[]>;
  tick: (queue: string) => Promise<{ capMs: number }>;
  /** Evenly in [0, 1): spreads the passes of many processes. */
  random: () => number;
}

const EVERY_MS = 1000;
const MIN_EVERY_MS = 100;
/** Queues that are looked after at the same time: a thousand of them must not cost a thousand round trips. */
const TOGETHER = 16;

export class Upkeep implements Service {
  readonly name = 'upkeep';
  readonly #deps: UpkeepDeps;
  readonly #rounds: Rounds;
  #everyMs = EVERY_MS;
  #failing = false;

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
    const { clock, random, log } = deps;
    this.#rounds = new Rounds({
      clock,
      everyMs: () => this.#everyMs * (0.8 + 0.2 * random()),
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
    const { queueNames, tick, log } = this.#deps;
    this.#everyMs = EVERY_MS;
    const queues = await queueNames();
    for (let from = 0; from < queues.length && !signal.aborted; from += TOGETHER) {
      const ticks = await Promise.all(queues.slice(from, from + TOGETHER).map(tick));
      // Never slower than the queue clock's cap: it moves by at most that much a pass.
      const capMs = Math.min(...ticks.map((done) => done.capMs));
      this.#everyMs = Math.max(MIN_EVERY_MS, Math.min(this.#everyMs, capMs));
    }
    if (this.#failing) log.info('upkeep goes on');
    this.#failing = false;
  }
}
