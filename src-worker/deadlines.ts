/**
 * Time-outs and grace periods of all running attempts behind one timer. A timer and an abort listener for each task
 * would cost more than a short task itself; here a deadline is one object in a set, and the loop sleeps until the
 * earliest. With nothing set, nothing ticks.
 */
import type { Clock } from '#queue/kernel/clock';

export interface Deadline {
  /** Monotonic ms. */
  readonly at: number;
  cancel(): void;
}

class Entry implements Deadline {
  readonly at: number;
  readonly due: () => void;
  readonly #all: Set<Entry>;
  constructor(at: number, due: () => void, all: Set<Entry>) {
    this.at = at;
    this.due = due;
    this.#all = all;
  }
  cancel(): void {
    this.#all.delete(this);
  }
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #entries = new Set<Entry>();
  /** When the sleeping loop wakes; infinite where none sleeps. */
  #wakesAt = Number.POSITIVE_INFINITY;
  #sleep = new AbortController();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `due` once, `ms` from now, unless cancelled before. */
  after(ms: number, due: () => void): Deadline {
    const entry = new Entry(this.#clock.monotonic() + ms, due, this.#entries);
    this.#entries.add(entry);
    if (entry.at < this.#wakesAt) this.#restart(entry.at);
    return entry;
  }

  /** Set and not yet due. */
  get size(): number {
    return this.#entries.size;
  }

  /** Forgets all of them. */
  clear(): void {
    this.#entries.clear();
    this.#sleep.abort();
    this.#wakesAt = Number.POSITIVE_INFINITY;
  }

  #restart(wakesAt: number): void {
    this.#sleep.abort();
    this.#sleep = new AbortController();
    this.#wakesAt = wakesAt;
    void this.#run(this.#sleep.signal);
  }

  async #run(signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(Math.max(0, this.#wakesAt - this.#clock.monotonic()), signal);
    if (signal.aborted) return;
    const now = this.#clock.monotonic();
    const due = [...this.#entries].filter(({ at }) => at <= now);
    this.#wakesAt = Number.POSITIVE_INFINITY;
    for (const entry of due) entry.cancel();
    for (const entry of due) entry.due();
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of this.#entries) next = Math.min(next, at);
    if (next < this.#wakesAt) this.#restart(next);
  }
}
