/**
 * The queues that a worker serves, each with its line: those of its list from the start and for ever, and, where the
 * list has `*`, every other queue from when it is first told of until it is idle.
 *
 * A line is of one physical queue. The shards of a named queue are named like itself, from when they are told of; the
 * lines of one queue share its weight.
 */
import { LIMITS } from '#queue/contract/limits';
import { EVERY_QUEUE } from '#queue/contract/primitives';
import { mapEntry } from '#queue/kernel/map-entry';
import { logicalQueue } from '#queue/kernel/shard-name';
import { QueueLine } from './queue-line';

/** More than twice the pause between two announcements of a queue (src-queue/engine/work-news.ts): none is missed for it. */
export const IDLE_MS = 75_000;
const SWEEP_EVERY_MS = 10_000;

export class QueueLines {
  /** Of those that are not named the one that was used last is at the end. */
  readonly #lines = new Map<string, QueueLine>();
  /** Of the queues in the list. */
  readonly #weights = new Map<string, number>();
  readonly #linesOf = new Map<string, Set<QueueLine>>();
  /** Of a queue that the list does not name; null where only the named are served. */
  readonly #otherWeight: number | null;
  #sweepAt = 0;

  constructor(queues: readonly { name: string; weight: number }[], now: number) {
    this.#otherWeight = queues.find(({ name }) => name === EVERY_QUEUE)?.weight ?? null;
    for (const { name, weight } of queues) if (name !== EVERY_QUEUE) this.#weights.set(name, weight);
    for (const name of this.#weights.keys()) this.#add(name, now);
  }

  get servesEvery(): boolean {
    return this.#otherWeight !== null;
  }

  /** Every queue is served, and none of them by its name. */
  get namesNone(): boolean {
    return this.#weights.size === 0;
  }

  /** Those of the list, as it names them. */
  get named(): string[] {
    return [...this.#weights.keys()];
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
    if (known === undefined) return this.#add(queue, now);
    if (known.named) return known;
    known.used(now);
    this.#lines.delete(queue);
    this.#lines.set(queue, known);
    return known;
  }

  /** To listen to: the named, then the others, the one that was used last first, within the bound. */
  toListen(): string[] {
    const named = [...this.#lines.values()].filter((line) => line.named).map(({ name }) => name);
    return [...named, ...this.others()].slice(0, LIMITS.wakeLists);
  }

  /** Those that the list does not name, the one that was used last first. */
  others(): string[] {
    const others = [...this.#lines.values()].filter((line) => !line.named);
    return others.map(({ name }) => name).reverse();
  }

  /** Forgets what is idle; cheap when it was done lately. */
  sweep(now: number, isNeeded: (queue: string) => boolean): void {
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + SWEEP_EVERY_MS;
    for (const line of this.#lines.values()) {
      if (!line.isIdle(now, IDLE_MS) || isNeeded(line.name)) continue;
      this.#lines.delete(line.name);
      const queue = logicalQueue(line.name);
      this.#linesOf.get(queue)?.delete(line);
      this.#weigh(queue);
    }
  }

  #add(name: string, now: number): QueueLine {
    const queue = logicalQueue(name);
    const named = this.#weights.has(queue);
    const line = new QueueLine({ name, weight: this.#weightOf(queue), lanes: LIMITS.workLanes, named, now });
    this.#lines.set(name, line);
    mapEntry(this.#linesOf, queue, () => new Set()).add(line);
    this.#weigh(queue);
    return line;
  }

  /** What a queue is worth is not more for its shards. */
  #weigh(queue: string): void {
    const lines = this.#linesOf.get(queue);
    if (lines?.size === 0) this.#linesOf.delete(queue);
    for (const line of lines ?? []) line.weight = this.#weightOf(queue) / (lines?.size ?? 1);
  }

  #weightOf(queue: string): number {
    return this.#weights.get(queue) ?? this.#otherWeight ?? 1;
  }
}
