/** What the work loop knows of one queue: its lanes, whether it seems empty, and when to ask it again. */
import type { Contender } from './shares';

const SKIP_FIRST_MS = 50;
const SKIP_MAX_MS = 1_000;

export class QueueLine implements Contender {
  readonly name: string;
  readonly weight: number;
  #passed = 0;
  readonly #lanes: string[];
  /** The last answer brought less than was asked for. */
  #dry = false;
  #wasEmpty = true;
  /** Monotonic ms; then something comes due. */
  #dueAt = Number.POSITIVE_INFINITY;
  /** Not to be asked before: what is pending there is for other workers. */
  #askAt = 0;
  #skipMs = 0;

  constructor(name: string, weight: number, lanes: number) {
    this.name = name;
    this.weight = weight;
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
    return this.mayAsk(now) && (!this.#dry || now >= this.#dueAt);
  }

  /** Until it is worth asking without being woken. */
  readyInMs(now: number): number {
    return Math.max(0, Math.max(this.#askAt, this.#dry ? this.#dueAt : now) - now);
  }

  woken(): void {
    this.#dry = false;
  }

  /** @param virtual how far the queues that are served have come: a queue that was empty does not make up for it at once */
  learn(
    reply: { want: number; got: number; dueInMs: number | null; skipped: boolean; now: number },
    virtual: number,
  ): void {
    if (reply.want === 0) return;
    if (this.#wasEmpty) this.#passed = Math.max(this.#passed, virtual);
    this.#passed += reply.got / this.weight;
    this.#dry = reply.got < reply.want;
    this.#wasEmpty = this.#dry;
    this.#skipMs =
      reply.skipped && reply.got === 0 ? Math.min(Math.max(SKIP_FIRST_MS, this.#skipMs * 2), SKIP_MAX_MS) : 0;
    this.#askAt = reply.now + this.#skipMs;
    const dueAt = reply.dueInMs === null ? Number.POSITIVE_INFINITY : reply.now + reply.dueInMs;
    this.#dueAt = this.#skipMs > 0 ? this.#askAt : dueAt;
  }
}
