/**
 * Task ids: ULIDs whose last four characters name the queue.
 *
 * `GET /api/tasks/{id}` has an id and no queue, while all keys of a task lie in its queue's hash slot. The tag
 * makes the way from id to queue O(1) however many queues there are, with nothing stored: 10 characters of time,
 * 12 of randomness (60 bits, counted up within one millisecond, so ids of one process sort in the order in which
 * they were made), 4 of tag (20 bits of SHA-1 of the queue's name). Queues that share a tag are both looked at.
 */
import { createHash, randomInt } from 'node:crypto';
import type { Clock } from './clock';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const HALF = 2 ** 30;
export const ID_LENGTH = 26;
const TIME_CHARS = 10;
const TAG_CHARS = 4;

function encode(value: number, chars: number): string {
  let out = '';
  let rest = value;
  for (let i = 0; i < chars; i++) {
    out = ALPHABET.charAt(rest % 32) + out;
    rest = Math.floor(rest / 32);
  }
  return out;
}

const tags = new Map<string, string>();

/** The four characters that end every id of this queue. */
export function queueTag(queue: string): string {
  let tag = tags.get(queue);
  if (tag === undefined) {
    tag = encode(createHash('sha1').update(queue).digest().readUInt32BE(0) % 2 ** 20, TAG_CHARS);
    if (tags.size > 10_000) tags.clear();
    tags.set(queue, tag);
  }
  return tag;
}

export const tagOfId = (id: string): string => id.slice(-TAG_CHARS);

/** When the id was made, Unix ms. */
export function timeOfId(id: string): number {
  let ms = 0;
  for (const char of id.slice(0, TIME_CHARS)) ms = ms * 32 + ALPHABET.indexOf(char);
  return ms;
}

/** The lowest id part of a moment: ids made at or after it sort at or after it. */
export const idPrefixAt = (ms: number): string => encode(Math.max(0, Math.floor(ms)), TIME_CHARS);

export class IdFactory {
  readonly #clock: Clock;
  #ms = 0;
  #time = '';
  #high = 0;
  #low = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  next(queue: string): string {
    const now = this.#clock.now();
    if (now > this.#ms) {
      this.#ms = now;
      this.#time = encode(now, TIME_CHARS);
      this.#high = randomInt(HALF / 2); // the top bit stays free, so counting up cannot overflow
      this.#low = randomInt(HALF);
    } else if (++this.#low === HALF) {
      this.#low = 0;
      this.#high++;
    }
    return this.#time + encode(this.#high, 6) + encode(this.#low, 6) + queueTag(queue);
  }
}

/** A name that no other process has: `prefix-` and 12 characters of randomness. */
export const randomName = (prefix: string): string =>
  `${prefix}-${encode(randomInt(HALF), 6)}${encode(randomInt(HALF), 6)}`.toLowerCase();

/** Evenly in [0, 1); for jitter, not for secrets. */
export const random = (): number => Math.random();
