/** What the work loop knows of one queue: its lanes, whether it seems empty, and when to ask it again. */
import type { Contender } from './shares';

const SKIP_FIRST_MS = 50;
const SKIP_MAX_MS = 1_000;
/** A queue of our own list is asked again after so long: a wake-up may have been lost, or may not have been listened to. */
export const ASK_AGAIN_MS = 2_000;

export interface QueueLineOptions {
  name: string;
  weight: number;
  lanes: number;
  /** It is in our own list: kept for ever, and asked now and then. Others are told of, and forgotten when they are idle. */
  named: boolean;
  /** Monotonic ms. */
  now: number;
}

export class QueueLine implements Contender {
  readonly name: string;
  /** Shared among the lines of one queue: it changes as they come and go. */
  weight: number;
  readonly named: boolean;
  #passed = 0;
  readonly #lanes: string[];
  readonly #laneCount: number;
  /** The last answer brought less than was asked for. */
  #dry = false;
  #wasEmpty = true;
  #wakes = 0;
  /** Monotonic ms; then something comes due. */
  #dueAt = Number.POSITIVE_INFINITY;
  /** Not to be asked before: what is pending there is for other workers. */
  #askAt = 0;
  #skipMs = 0;
  #askAgainAt = Number.POSITIVE_INFINITY;
  #lastUseAt: number;

  constructor({ name, weight, lanes, named, now }: QueueLineOptions) {
    this.name = name;
    this.weight = weight;
    this.named = named;
    this.#lastUseAt = now;
    this.#laneCount = lanes;
    this.#lanes = Array.from({ length: lanes }, (_, index) => String(index));
  }

  get passed(): number {
    return this.#passed;
  }

  get freeLanes(): number {
    return this.#lanes.length;
  }

  get hasFreeLane(): boolean {
    return this.#lanes.length > 0;
  }

  /** Counts wake-ups: an answer that was on its way during one says nothing of what came with it. */
  get wakes(): number {
    return this.#wakes;
  }

  takeLane(): string {
    const lane = this.#lanes.shift();
    if (lane === undefined) throw new RangeError(`queue ${this.name} has no free lane`);
    return lane;
  }

  giveLane(lane: string): void {
    this.#lanes.push(lane);
  }

  mayAsk(now: number): boolean {
    return now >= this.#askAt;
  }

  /** Something to claim is likely. */
  isReady(now: number): boolean {
    return this.mayAsk(now) && (!this.#dry || now >= this.#dueAt || now >= this.#askAgainAt);
  }

  /** Until it is worth asking without being woken. */
  readyInMs(now: number): number {
    return Math.max(0, Math.max(this.#askAt, this.#dry ? this.#dueAt : now) - now);
  }

  woken(): void {
    this.#dry = false;
    this.#wakes++;
  }

  /** Someone has told of it, or it had work. */
  used(now: number): void {
    this.#lastUseAt = now;
  }

  /** Nothing would be lost with it: it is empty, nothing is on its way, and for `idleMs` it has had and will have no work. */
  isIdle(now: number, idleMs: number): boolean {
    const untouched = now - this.#lastUseAt >= idleMs && this.#dueAt - now >= idleMs;
    return untouched && this.#dry && !this.named && this.#lanes.length === this.#laneCount;
  }

  /**
   * @param reply `wakes` as it was when the call left
   * @param virtual how far the queues that are served have come: a queue that was empty does not make up for it at once
   */
  learn(
    reply: { want: number; got: number; dueInMs: number | null; skipped: boolean; now: number; wakes: number },
    virtual: number,
  ): void {
    if (reply.want === 0) return;
    if (this.#wasEmpty) this.#passed = Math.max(this.#passed, virtual);
    this.#passed += reply.got / this.weight;
    if (reply.got > 0) this.#lastUseAt = reply.now;
    const less = reply.got < reply.want;
    this.#wasEmpty = less;
    this.#dry = less && reply.wakes === this.#wakes;
    this.#skipMs =
      reply.skipped && reply.got === 0 ? Math.min(Math.max(SKIP_FIRST_MS, this.#skipMs * 2), SKIP_MAX_MS) : 0;
    this.#askAt = reply.now + this.#skipMs;
    if (this.named) this.#askAgainAt = reply.now + ASK_AGAIN_MS;
    const dueAt = reply.dueInMs === null ? Number.POSITIVE_INFINITY : reply.now + reply.dueInMs;
    this.#dueAt = this.#skipMs > 0 ? this.#askAt : dueAt;
  }
}
