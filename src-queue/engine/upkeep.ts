/**
 * The upkeep that keeps queues moving when nobody works on them: reap, promote, expire, relay, prune. Every process
 * runs it, none leads: the scripts make extra passes harmless.
 */
import type { Clock } from '../kernel/clock';
import type { Log } from '../kernel/log';
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
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;
  #failing = false;

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#loop ??= this.#run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    while (!signal.aborted) {
      const capMs = await this.#pass(signal);
      // Never slower than the queue clock's cap: it moves by at most that much a pass.
      const everyMs = Math.max(MIN_EVERY_MS, Math.min(EVERY_MS, capMs));
      await clock.sleep(everyMs * (0.8 + 0.2 * random()), signal);
    }
  }

  async #pass(signal: AbortSignal): Promise<number> {
    const { queueNames, tick, log } = this.#deps;
    let capMs = Number.POSITIVE_INFINITY;
    try {
      const queues = await queueNames();
      for (let from = 0; from < queues.length && !signal.aborted; from += TOGETHER) {
        const ticks = await Promise.all(queues.slice(from, from + TOGETHER).map(tick));
        capMs = Math.min(capMs, ...ticks.map((done) => done.capMs));
      }
      if (this.#failing) log.info('upkeep goes on');
      this.#failing = false;
    } catch (error) {
      // A bad pass must not end the loop, and an outage is told once.
      if (!signal.aborted && !this.#failing) log.warn('upkeep failed; it is tried again every second', { error });
      this.#failing = true;
    }
    return capMs;
  }
}
