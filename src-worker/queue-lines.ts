/**
 * The queues that a worker serves, each with its line: those of its list from the start and for ever, and, where the
 * list has `*`, every other queue from when it is first told of until it is idle.
 */
import { LIMITS } from '#queue/contract/limits';
import { EVERY_QUEUE } from '#queue/contract/primitives';
import { QueueLine } from './queue-line';

/** More than twice the pause between two announcements of a queue (src-queue/engine/work-news.ts): none is missed for it. */
export const IDLE_MS = 75_000;
const SWEEP_EVERY_MS = 10_000;

export class QueueLines {
  /** The named first, then the others, the one that was used last at the end. */
  readonly #lines = new Map<string, QueueLine>();
  /** Of a queue that the list does not name; null where only the named are served. */
  readonly #otherWeight: number | null;
  readonly #namedCount: number;
  #sweepAt = 0;

  constructor(queues: readonly { name: string; weight: number }[], now: number) {
    this.#otherWeight = queues.find(({ name }) => name === EVERY_QUEUE)?.weight ?? null;
    for (const { name, weight } of queues) if (name !== EVERY_QUEUE) this.#add(name, weight, true, now);
    this.#namedCount = this.#lines.size;
  }

  get servesEvery(): boolean {
    return this.#otherWeight !== null;
  }

  /** Every queue is served, and none of them by its name. */
  get namesNone(): boolean {
    return this.#namedCount === 0;
  }

  get size(): number {
    return this.#lines.size;
  }

  all(): IterableIterator<QueueLine> {
    return this.#lines.values();
  }

  /** @returns null where it is not known, or no longer */
  find(queue: string): QueueLine | null {
    return this.#lines.get(queue) ?? null;
  }

  /** The line of a queue that is used; made where there is none. */
  use(queue: string, now: number): QueueLine {
    const known = this.#lines.get(queue);
    if (known === undefined) return this.#add(queue, this.#otherWeight ?? 1, false, now);
    if (known.named) return known;
    known.used(now);
    this.#lines.delete(queue);
    this.#lines.set(queue, known);
    return known;
  }

  /** To listen to: the named, then the others, the one that was used last first, within the bound. */
  toListen(): string[] {
    const names = [...this.#lines.keys()];
    return [...names.slice(0, this.#namedCount), ...this.#others(names)].slice(0, LIMITS.wakeLists);
  }

  /** Those that the list does not name, the one that was used last first. */
  others(): string[] {
    return this.#others([...this.#lines.keys()]);
  }

  #others(names: readonly string[]): string[] {
    return names.slice(this.#namedCount).reverse();
  }

  /** Forgets what is idle; cheap when it was done lately. */
  sweep(now: number, isNeeded: (queue: string) => boolean): void {
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + SWEEP_EVERY_MS;
    for (const line of this.#lines.values()) {
      if (line.isIdle(now, IDLE_MS) && !isNeeded(line.name)) this.#lines.delete(line.name);
    }
  }

  #add(name: string, weight: number, named: boolean, now: number): QueueLine {
    const line = new QueueLine({ name, weight, lanes: LIMITS.workLanes, named, now });
    this.#lines.set(name, line);
    return line;
  }
}
