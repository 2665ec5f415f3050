/**
 * The leases that this worker holds, in memory that the lease thread shares.
 *
 * Shared memory and not messages, because a handler may block the event loop from its first line: what was written
 * before it began is visible to the thread at once, and costs the thread no wake-up. One writer (the worker's main
 * thread), any number of readers.
 *
 * Layout: word 0 counts turns of the main event loop; then one slot for each lease: version, queue number, length of
 * id, length of token (32-bit words), and `TEXT_BYTES` of id and token in ASCII. A slot with version 0 is empty.
 * The writer stores the version last and zeroes it first; a reader takes a slot only when it read the same version
 * before and after, and no version is used twice in a row, so it never sees half of one lease and half of another.
 */
import type { LeaseRef } from '#queue/engine/ports';

const HEADER_WORDS = 1;
const SLOT_WORDS = 4;
const TEXT_BYTES = 192;
const LAST_VERSION = 2 ** 30;

export interface HeldLease extends LeaseRef {
  queue: string;
}

const bytesFor = (slots: number): number => (HEADER_WORDS + slots * SLOT_WORDS) * 4 + slots * TEXT_BYTES;

abstract class Table {
  readonly memory: SharedArrayBuffer;
  protected readonly queues: readonly string[];
  protected readonly words: Int32Array;
  protected readonly text: Buffer;
  protected readonly slots: number;

  protected constructor(memory: SharedArrayBuffer, queues: readonly string[], slots: number) {
    this.memory = memory;
    this.queues = queues;
    this.slots = slots;
    this.words = new Int32Array(memory, 0, HEADER_WORDS + slots * SLOT_WORDS);
    this.text = Buffer.from(memory, (HEADER_WORDS + slots * SLOT_WORDS) * 4, slots * TEXT_BYTES);
  }

  protected wordOf(slot: number): number {
    return HEADER_WORDS + slot * SLOT_WORDS;
  }
}

/** The writer's side. */
export class HeldTable extends Table {
  readonly #free: number[];
  readonly #slotOf = new Map<string, number>();
  #version = 0;

  constructor(queues: readonly string[], slots: number) {
    super(new SharedArrayBuffer(bytesFor(slots)), queues, slots);
    this.#free = Array.from({ length: slots }, (_, index) => slots - 1 - index);
  }

  /** Leases that still find room. */
  get room(): number {
    return this.#free.length;
  }

  get size(): number {
    return this.#slotOf.size;
  }

  holds(token: string): boolean {
    return this.#slotOf.has(token);
  }

  /** @throws RangeError where there is no room, or the lease is of another queue or too long */
  add({ queue, id, token }: HeldLease): void {
    const number = this.queues.indexOf(queue);
    const slot = this.#free.at(-1);
    if (number < 0 || slot === undefined || id.length + token.length > TEXT_BYTES) {
      throw new RangeError(`no room for the lease on ${id} of queue ${queue}`);
    }
    this.#free.pop();
    const word = this.wordOf(slot);
    const offset = slot * TEXT_BYTES;
    this.words[word + 1] = number;
    this.words[word + 2] = this.text.write(id, offset, 'latin1');
    this.words[word + 3] = this.text.write(token, offset + id.length, 'latin1');
    this.#version = this.#version === LAST_VERSION ? 1 : this.#version + 1;
    Atomics.store(this.words, word, this.#version);
    this.#slotOf.set(token, slot);
  }

  remove(token: string): void {
    const slot = this.#slotOf.get(token);
    if (slot === undefined) return;
    this.#slotOf.delete(token);
    Atomics.store(this.words, this.wordOf(slot), 0);
    this.#free.push(slot);
  }

  /** Tells the reader that the event loop turns. */
  tick(): void {
    Atomics.add(this.words, 0, 1);
  }
}

/** The reader's side, in any thread. */
export class HeldView extends Table {
  constructor(memory: SharedArrayBuffer, queues: readonly string[]) {
    const slots = Math.floor((memory.byteLength - HEADER_WORDS * 4) / (SLOT_WORDS * 4 + TEXT_BYTES));
    super(memory, queues, slots);
  }

  /** Changes while the writer's event loop turns. */
  turns(): number {
    return Atomics.load(this.words, 0);
  }

  /** All leases held at this moment. */
  leases(): HeldLease[] {
    const found: HeldLease[] = [];
    for (let slot = 0; slot < this.slots; slot++) {
      const lease = this.#read(slot);
      if (lease !== null) found.push(lease);
    }
    return found;
  }

  #read(slot: number): HeldLease | null {
    const word = this.wordOf(slot);
    const version = Atomics.load(this.words, word);
    if (version === 0) return null;
    const queue = this.queues[this.words[word + 1] ?? -1];
    const offset = slot * TEXT_BYTES;
    const idEnd = offset + (this.words[word + 2] ?? 0);
    const id = this.text.toString('latin1', offset, idEnd);
    const token = this.text.toString('latin1', idEnd, idEnd + (this.words[word + 3] ?? 0));
    return Atomics.load(this.words, word) === version && queue !== undefined ? { queue, id, token } : null;
  }
}
