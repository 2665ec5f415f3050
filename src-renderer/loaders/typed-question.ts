/** Asks the server about what is being typed, a moment after the last key; a newer question cancels the one before. */
import { ApiError } from '../net/api-error';
import type { BrowserTime } from '../net/browser-time';

export class TypedQuestion {
  readonly #time: BrowserTime;
  readonly #pauseMs: number;
  #reading = new AbortController();
  #takeBack: () => void = () => undefined;

  constructor(time: BrowserTime, pauseMs: number) {
    this.#time = time;
    this.#pauseMs = pauseMs;
  }

  stop(): void {
    this.#takeBack();
    this.#reading.abort();
  }

  /** @param use is called with the answer; never where it could not be had, or another question has come: it only helps */
  ask<Answer>(read: (signal: AbortSignal) => Promise<Answer>, use: (answer: Answer) => void): void {
    this.stop();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    this.#takeBack = this.#time.after(this.#pauseMs, () => void this.#read(read, use, signal));
  }

  async #read<Answer>(
    read: (signal: AbortSignal) => Promise<Answer>,
    use: (answer: Answer) => void,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const answer = await read(signal);
      if (!signal.aborted) use(answer);
    } catch (error) {
      if (!signal.aborted && !(error instanceof ApiError)) throw error;
    }
  }
}
