/** Settles that wait for a work call of their queue, and those that are on their way. None is dropped before it is answered. */
import type { Settle } from '#queue/engine/ports';

export class Settler {
  readonly #waiting = new Map<string, Settle[]>();
  #unanswered = 0;
  #idle: (() => void)[] = [];

  /** Waiting or on their way. */
  get unanswered(): number {
    return this.#unanswered;
  }

  hasFor(queue: string): boolean {
    return this.#waiting.has(queue);
  }

  waitingFor(queue: string): number {
    return this.#waiting.get(queue)?.length ?? 0;
  }

  add(queue: string, settle: Settle): void {
    this.#unanswered++;
    const waiting = this.#waiting.get(queue);
    if (waiting === undefined) this.#waiting.set(queue, [settle]);
    else waiting.push(settle);
  }

  /** The oldest, to go into a call; say `answered` when it is. */
  take(queue: string, most: number): Settle[] {
    const waiting = this.#waiting.get(queue);
    if (waiting === undefined) return [];
    if (waiting.length > most) return waiting.splice(0, most);
    this.#waiting.delete(queue);
    return waiting;
  }

  answered(count: number): void {
    this.#unanswered -= count;
    if (this.#unanswered > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const done of idle) done();
  }

  /** Resolves when nothing waits and nothing is on its way. */
  drained(): Promise<void> {
    return this.#unanswered === 0 ? Promise.resolve() : new Promise((done) => this.#idle.push(done));
  }
}
