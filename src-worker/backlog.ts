/** Claimed tasks that wait for a slot: see Lookahead. First in, first out. One that waits for long is handed back. */
import type { ClaimedTask } from '#queue/engine/ports';
import type { Clock } from '#queue/kernel/clock';
import { Deadlines } from './deadlines';

/** Longer than a few fast attempts take, and not long to anybody who waits for the task. */
const LONG_MS = 25;

export interface BacklogDeps {
  clock: Clock;
  /** They waited for too long: another worker may be idle. */
  onLong: (tasks: readonly ClaimedTask[]) => void;
}

export class Backlog {
  readonly #deps: BacklogDeps;
  readonly #deadlines: Deadlines;
  readonly #tasks: { task: ClaimedTask; since: number }[] = [];

  constructor(deps: BacklogDeps) {
    this.#deps = deps;
    this.#deadlines = new Deadlines(deps.clock);
  }

  push(task: ClaimedTask): void {
    this.#tasks.push({ task, since: this.#deps.clock.monotonic() });
    if (this.#deadlines.size === 0) this.#watch(LONG_MS);
  }

  shift(): ClaimedTask | undefined {
    return this.#tasks.shift()?.task;
  }

  /** @returns the task of this token, which is taken out; undefined where it does not wait here */
  take(token: string): ClaimedTask | undefined {
    const at = this.#tasks.findIndex(({ task }) => task.token === token);
    return at === -1 ? undefined : this.#tasks.splice(at, 1)[0]?.task;
  }

  /** Takes all out. */
  drain(): ClaimedTask[] {
    return this.#tasks.splice(0).map(({ task }) => task);
  }

  close(): void {
    this.#deadlines.clear();
  }

  #watch(ms: number): void {
    this.#deadlines.after(ms, () => {
      const [first] = this.#tasks;
      if (first === undefined) return;
      const leftMs = first.since + LONG_MS - this.#deps.clock.monotonic();
      if (leftMs > 0) this.#watch(leftMs);
      else this.#deps.onLong(this.drain());
    });
  }
}
