/**
 * The leases that this worker holds, in memory that the lease thread shares.
 *
 * Shared memory and not messages, because a handler may block the event loop from its first line: what was written
 * before it began is visible to the thread at once, and costs the thread no wake-up. One writer (the worker's main
 * thread), any number of readers.
 *
 * Layout: word 0 counts turns of the main event loop; then one slot for each lease: version, lengths of queue, id and
 * token (32-bit words), and `TEXT_BYTES` of these three in ASCII: queues that the worker learns of later need no other
 * place. A slot with version 0 is empty.
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
  protected readonly words: Int32Array;
  protected readonly text: Buffer;
  protected readonly slots: number;

  protected constructor(memory: SharedArrayBuffer, slots: number) {
    this.memory = memory;
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

  constructor(slots: number) {
    super(new SharedArrayBuffer(bytesFor(slots)), slots);
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

  /** @throws RangeError where there is no room, or the lease is too long */
  add({ queue, id, token }: HeldLease): void {
    const slot = this.#free.at(-1);
    if (slot === undefined || queue.length + id.length + token.length > TEXT_BYTES) {
      throw new RangeError(`no room for the lease on ${id} of queue ${queue}`);
    }
    this.#free.pop();
    const word = this.wordOf(slot);
    this.words[word + 1] = queue.length;
    this.words[word + 2] = id.length;
    this.words[word + 3] = token.length;
    this.text.write(queue + id + token, slot * TEXT_BYTES, 'latin1');
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
  constructor(memory: SharedArrayBuffer) {
    const slots = Math.floor((memory.byteLength - HEADER_WORDS * 4) / (SLOT_WORDS * 4 + TEXT_BYTES));
    super(memory, slots);
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
    const [queueLength = 0, idLength = 0, tokenLength = 0] = this.words.subarray(word + 1, word + SLOT_WORDS);
    const idAt = queueLength;
    const tokenAt = idAt + idLength;
    const text = this.text.toString('latin1', slot * TEXT_BYTES, slot * TEXT_BYTES + tokenAt + tokenLength);
    if (Atomics.load(this.words, word) !== version) return null;
    return { queue: text.slice(0, idAt), id: text.slice(idAt, tokenAt), token: text.slice(tokenAt) };
  }
}
