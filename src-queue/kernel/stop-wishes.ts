/**
 * Tells a second wish to stop from an echo of the first. One Ctrl-C, or one SIGTERM to a process group, reaches a
 * process by several ways: directly, and from the parent that hands it on. That is one wish; somebody who insists
 * comes later.
 */
import type { Clock } from './clock';

const ECHO_MS = 250;

export class StopWishes {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #firstAt: number | null = null;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** @returns what this one is */
  next(): 'first' | 'echo' | 'again' {
    const now = this.#clock.monotonic();
    if (this.#firstAt === null) {
      this.#firstAt = now;
      return 'first';
    }
    return now - this.#firstAt < ECHO_MS ? 'echo' : 'again';
  }
}
