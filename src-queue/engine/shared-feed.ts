/**
 * One reading of the event streams for all in this process that follow them: each event is read and decoded once, and
 * not at all while nobody follows.
 */
import type { EventFeed, FeedItem } from './ports';

interface Follower {
  listener: (item: FeedItem) => void;
  ready: () => void;
}

interface Reading {
  ended: Promise<void>;
  stop: AbortController;
  isReady: boolean;
}

export class SharedFeed implements EventFeed {
  readonly #source: EventFeed;
  readonly #followers = new Set<Follower>();
  #reading: Reading | null = null;

  constructor(source: EventFeed) {
    this.#source = source;
  }

  async follow(
    listener: (item: FeedItem) => void,
    signal: AbortSignal,
    ready: () => void = () => undefined,
  ): Promise<void> {
    if (signal.aborted) return;
    const follower = { listener, ready };
    this.#followers.add(follower);
    this.#reading ??= this.#read();
    const reading = this.#reading;
    if (reading.isReady) ready();
    const left = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    try {
      await Promise.race([left, reading.ended]);
    } finally {
      this.#followers.delete(follower);
    }
    if (this.#followers.size > 0) return;
    reading.stop.abort();
    if (this.#reading === reading) this.#reading = null; // who comes from now on is read for anew
    await reading.ended;
  }

  #read(): Reading {
    const stop = new AbortController();
    const reading: Reading = { stop, isReady: false, ended: Promise.resolve() };
    const tell = (item: FeedItem) => {
      if (stop.signal.aborted) return;
      for (const { listener } of this.#followers) listener(item);
    };
    const ready = () => {
      reading.isReady = true;
      for (const follower of this.#followers) follower.ready();
    };
    reading.ended = this.#source.follow(tell, stop.signal, ready).finally(() => {
      if (this.#reading === reading) this.#reading = null;
    });
    return reading;
  }
}
