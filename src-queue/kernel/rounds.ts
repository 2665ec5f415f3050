/**
 * Work that is done again and again: a pass, a pause, until it is stopped. A pass that fails does not end it, and who
 * stops it waits for the pass that runs.
 */
import type { Clock } from './clock';
import type { Service } from './service';

export interface RoundsOptions {
  clock: Clock;
  /** Before the first pass, ms; without it that comes at once. */
  firstMs?: number;
  /** After each pass, ms; asked anew each time. */
  everyMs: () => number;
  pass: (signal: AbortSignal) => Promise<void>;
  /** A pass has failed, and not because it was stopped. */
  onFault: (error: unknown) => void;
}

export class Rounds implements Pick<Service, 'start' | 'stop'> {
  readonly #options: RoundsOptions;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#loop ??= this.#run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, firstMs = 0, everyMs, pass, onFault } = this.#options;
    if (firstMs > 0) await clock.sleep(firstMs, signal);
    while (!signal.aborted) {
      try {
        await pass(signal);
      } catch (error) {
        if (!signal.aborted) onFault(error);
      }
      await clock.sleep(everyMs(), signal);
    }
  }
}
