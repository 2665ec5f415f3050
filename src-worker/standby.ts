/**
 * Standing by: a worker of one queue that has nothing to do says so, and the next task that comes to the empty queue is handed to
 * it, claimed, over the list on which it blocks: no call has to ask for it. See docs/decisions/0017.
 *
 * An answer may get lost, and a task may come while the worker goes away. So a call after it stood by tells whether it has
 * heard of a task since, and is answered what it has missed; what it hears of twice counts once.
 */
import type { ClaimedTask, StandbyRequest } from '#queue/engine/ports';
import { ASK_AGAIN_MS } from './queue-line';

/** Longer than it takes until it is said again, so that there is no gap; what comes later is not for one that has died. */
const STAND_MS = ASK_AGAIN_MS + 500;
/** A list and an answer tell of the same task at about the same time. */
const REMEMBERED = 32;

export class Standby {
  readonly #nonce: string;
  #queue: string | null = null;
  readonly #heardOf = new Set<string>();

  /** @param nonce of this process, and of nothing else that it asks for */
  constructor(nonce: string) {
    this.#nonce = nonce;
  }

  /** Where it stands by, or has asked to; null: nowhere. */
  get queue(): string | null {
    return this.#queue;
  }

  /** For a call that finds nothing to do. */
  enter(queue: string): StandbyRequest {
    const stood = this.#queue === queue;
    this.#queue = queue;
    return { nonce: this.#nonce, forMs: STAND_MS, stood };
  }

  /** For a call to `queue` while there is something to do. @returns undefined where it does not stand by there */
  leave(queue: string): StandbyRequest | undefined {
    if (this.#queue !== queue) return undefined;
    this.#queue = null;
    return { nonce: this.#nonce, forMs: 0, stood: true };
  }

  /** A call that asked to stand by is answered. */
  answered(standsBy: boolean): void {
    if (!standsBy) this.#queue = null;
  }

  /** @returns those that were handed to this process, and that it had not heard of */
  fresh(tasks: readonly ClaimedTask[]): ClaimedTask[] {
    return tasks.filter(({ token }) => {
      if (!token.endsWith(`:${this.#nonce}`) || this.#heardOf.has(token)) return false;
      this.#heardOf.add(token);
      const [oldest] = this.#heardOf;
      if (oldest !== undefined && this.#heardOf.size > REMEMBERED) this.#heardOf.delete(oldest);
      this.#queue = null; // one task each time
      return true;
    });
  }
}
