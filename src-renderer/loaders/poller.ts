/**
 * Reads again and again, one read at a time, and never while nobody looks: what fell due while the page was hidden is
 * read when it is seen again. The pause is counted from the end of a read, so that a slow server is asked less.
 */
import type { BrowserTime } from '../net/browser-time';

export interface PollerDeps {
  time: BrowserTime;
  hidden: () => boolean;
  /** Must not fail. @returns ms until the next read */
  read: (signal: AbortSignal) => Promise<number>;
}

export class Poller {
  readonly #deps: PollerDeps;
  #reading: AbortController | null = null;
  #takeBack: () => void = () => undefined;
  #due = false;

  constructor(deps: PollerDeps) {
    this.#deps = deps;
  }

  /** Reads now; a read that is under way is broken off. Resolves when it is over, at once while nobody looks. */
  async now(): Promise<void> {
    this.stop();
    if (this.#deps.hidden()) {
      this.#due = true;
      return;
    }
    const reading = new AbortController();
    this.#reading = reading;
    const pauseMs = await this.#deps.read(reading.signal);
    if (reading.signal.aborted) return;
    this.#takeBack = this.#deps.time.after(pauseMs, () => void this.now());
  }

  /** The page is seen again. */
  seen(): void {
    if (this.#due && !this.#deps.hidden()) void this.now();
  }

  stop(): void {
    this.#due = false;
    this.#takeBack();
    this.#reading?.abort();
    this.#reading = null;
  }
}
