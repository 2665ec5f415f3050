/**
 * How many tasks to claim before there are slots for them: none, unless all of the last hundred attempts of this process
 * were over in a few milliseconds. Then the way to Redis takes longer than the work, and a worker that claims only what
 * it can start waits most of its time.
 *
 * It starts at nothing in every process, and is nothing again after one slow attempt: a task that kills its worker, or
 * blocks it, is next met by a process that holds nothing but what it runs. See docs/decisions/0016.
 */

/** An attempt that takes as long is slow. */
const SLOW_MS = 5;
/** Fast ones in a row. */
const PROVEN = 100;
const LEAST = 8;
export const LOOKAHEAD_MAX = 64;

export class Lookahead {
  readonly #most: number;
  #fast = 0;

  constructor(concurrency: number) {
    this.#most = Math.min(Math.max(2 * concurrency, LEAST), LOOKAHEAD_MAX);
  }

  get size(): number {
    return this.#fast >= PROVEN ? this.#most : 0;
  }

  /** @param ms from the start of its handler to its end */
  ended(ms: number): void {
    if (ms < SLOW_MS) this.#fast++;
    else this.slowed();
  }

  /** What is held had to wait. */
  slowed(): void {
    this.#fast = 0;
  }
}
