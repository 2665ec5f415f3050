/**
 * Numbering. A channel is one set of topics; `seq` counts its frames, so a client of that set sees no gap however
 * many other frames pass. Its first number comes from the time, and numbers of two channels never overlap: a `since`
 * from another set of topics, or from an earlier server process, is recognised as unknown instead of being answered wrongly.
 *
 * There is one log of the newest frames for all channels, and no ring in each: what a client missed is found by
 * walking it backwards. Memory is bounded by `LIMITS.wsReplayFrames` frames and `LIMITS.wsChannels` counters.
 */
import { LIMITS } from '#queue/contract/limits';
import type { Clock } from '#queue/kernel/clock';
import type { TopicSet } from './stream-topics';

/** How long a channel outlives its last client, so that a client that reconnects can go on. */
const CHANNEL_KEEP_MS = 5 * 60_000;

/** Numbers per millisecond: a channel may send so many frames on average and still never reach a later one's numbers. */
const NUMBERS_PER_MS = 4096;
const MS_APART = 1000;
/** 2026: leaves room for 69 years of milliseconds below 2^53. */
const EPOCH_MS = 1_767_225_600_000;

interface LoggedFrame {
  readonly queue: string;
  readonly id: string;
  readonly body: string;
}

interface MissedFrame {
  readonly seq: number;
  readonly body: string;
}

/** The newest task frames, oldest overwritten first. */
export class FrameLog {
  readonly #frames: LoggedFrame[] = [];
  #next = 0;

  add(frame: LoggedFrame): void {
    this.#frames[this.#next] = frame;
    this.#next = (this.#next + 1) % LIMITS.wsReplayFrames;
  }

  clear(): void {
    this.#frames.length = 0;
    this.#next = 0;
  }

  /** Newest first. */
  *backwards(): Generator<LoggedFrame> {
    const size = this.#frames.length;
    for (let back = 1; back <= size; back++) {
      const frame = this.#frames[(this.#next - back + size) % size];
      if (frame !== undefined) yield frame;
    }
  }
}

/** Someone that a channel's frames go to. */
export interface FrameSink {
  /** @param bytes of whole frames, as they go over the wire */
  sendOnWire(bytes: Buffer): boolean;
}

export class Channel {
  readonly topics: TopicSet;
  /** Clients that are sent every frame; the others of its members wait for a snapshot. */
  readonly live = new Set<FrameSink>();
  /** Number of the last frame. */
  position: number;
  /** Nothing before this number can be resumed. */
  floor: number;
  /** Clients that belong to it, whether they can be sent to or not. */
  members = 0;
  emptySinceMs = 0;

  constructor(topics: TopicSet, base: number) {
    this.topics = topics;
    this.position = base;
    this.floor = base;
  }

  /** @returns the frames after `since`, oldest first, or null where they are not known any more */
  missedSince(since: number, log: FrameLog): MissedFrame[] | null {
    if (since < this.floor || since > this.position) return null;
    const missed: MissedFrame[] = [];
    let seq = this.position;
    if (seq === since) return missed;
    for (const frame of log.backwards()) {
      if (!this.topics.wants(frame.queue, frame.id)) continue;
      missed.push({ seq, body: frame.body });
      if (--seq === since) return missed.reverse();
    }
    return null;
  }

  /** Frames were lost: no number up to now can be resumed, not even the last one. */
  breakOff(): void {
    this.position++;
    this.floor = this.position;
  }
}

/** All channels by their topics; those without a client are forgotten after a while, and the longest idle first when there are too many. */
export class ChannelBook {
  readonly #clock: Clock;
  readonly #byKey = new Map<string, Channel>();
  #lastBase = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#byKey.size;
  }

  all(): Iterable<Channel> {
    return this.#byKey.values();
  }

  /** The channel of these topics, made where there is none; its member count goes up by one. */
  enter(topics: TopicSet): Channel {
    let channel = this.#byKey.get(topics.key);
    if (channel === undefined) {
      this.#makeRoom();
      channel = new Channel(topics, this.#nextBase());
      this.#byKey.set(topics.key, channel);
    }
    channel.members++;
    return channel;
  }

  leave(channel: Channel): void {
    channel.members--;
    if (channel.members === 0) channel.emptySinceMs = this.#clock.monotonic();
  }

  /** Forgets channels that nobody came back to. */
  sweep(): void {
    const before = this.#clock.monotonic() - CHANNEL_KEEP_MS;
    for (const [key, channel] of this.#byKey) {
      if (channel.members === 0 && channel.emptySinceMs <= before) this.#byKey.delete(key);
    }
  }

  #makeRoom(): void {
    if (this.#byKey.size < LIMITS.wsChannels) return;
    let idlest: [string, Channel] | undefined;
    for (const entry of this.#byKey) {
      if (entry[1].members === 0 && (!idlest || entry[1].emptySinceMs < idlest[1].emptySinceMs)) idlest = entry;
    }
    if (idlest) this.#byKey.delete(idlest[0]); // there is one: clients are fewer than channels
  }

  #nextBase(): number {
    const fromTime = Math.max(1, this.#clock.now() - EPOCH_MS) * NUMBERS_PER_MS;
    this.#lastBase = Math.max(fromTime, this.#lastBase + MS_APART * NUMBERS_PER_MS);
    return this.#lastBase;
  }
}
