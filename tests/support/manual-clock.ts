/** A clock that stands still until the test moves it. Sleepers wake in order, and what they started gets its turn in between. */
import type { Clock } from '#queue/kernel/clock';

export class ManualClock implements Clock {
  #ms: number;
  readonly #startMs: number;
  readonly #sleepers = new Set<{ atMs: number; wake: () => void }>();

  constructor(startMs = Date.UTC(2026, 10, 22, 12)) {
    this.#ms = startMs;
    this.#startMs = startMs;
  }

  now(): number {
    return this.#ms;
  }

  monotonic(): number {
    return this.#ms - this.#startMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { atMs: this.#ms + ms, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  async advance(ms: number): Promise<void> {
    const until = this.#ms + ms;
    for (;;) {
      const next = [...this.#sleepers].sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > until) break;
      this.#ms = Math.max(this.#ms, next.atMs);
      next.wake();
      await turn();
    }
    this.#ms = until;
    await turn();
  }
}

/** Lets everything that is ready run, immediates included. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
