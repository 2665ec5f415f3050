/**
 * Follows the event streams of all queues. Every transition has a number without gaps, counted in the script that
 * makes it: a reader that misses one knows, and says so (`gap`) instead of keeping a silent hole. Each shard of a queue has
 * a stream and numbers of its own; changes and gaps name the queue.
 */
import type { Clock } from '../kernel/clock';
import type { Log } from '../kernel/log';
import { logicalQueue } from '../kernel/shard-name';
import { type Connection, whenReady } from '../redis/connection';
import type { RedisStore } from '../redis/store';
import { decodeEntry } from './event-decoder';
import type { EventFeed, FeedItem } from './ports';
import type { QueueRegistry } from './queue-registry';

const BLOCK_MS = 1000;
const READ_ENTRIES = 200;
/** Between two reads; a change is told so much later at most. */
const GATHER_MS = 20;
const DISCOVER_MS = 1000;
const RECONNECT_WAIT_MS = 1000;

interface Position {
  /** The physical queue. */
  queue: string;
  key: string;
  /** Last entry seen. */
  entryId: string;
  /** Number of the next event; null until the first entry is seen. */
  next: number | null;
}

export class EventLog implements EventFeed {
  readonly #store: RedisStore;
  readonly #registry: QueueRegistry;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(store: RedisStore, registry: QueueRegistry, clock: Clock, log: Log) {
    this.#store = store;
    this.#registry = registry;
    this.#clock = clock;
    this.#log = log;
  }

  async follow(
    listener: (item: FeedItem) => void,
    signal: AbortSignal,
    ready: () => void = () => undefined,
  ): Promise<void> {
    const positions = new Map<string, Position>();
    if (!this.#store.isCluster)
      return this.#loop('events', positions, () => [...positions.values()], listener, signal, ready);
    // Keys of two queues cannot meet in one command of a cluster: there, each queue is followed by a loop of its own.
    const loops = new Map<string, Promise<void>>();
    const follow = (position: Position) =>
      this.#loop(`events-${position.queue}`, null, () => [position], listener, signal);
    const news = this.#loop(
      'events',
      positions,
      () => [],
      listener,
      signal,
      () => {
        for (const position of positions.values()) {
          if (!loops.has(position.queue)) loops.set(position.queue, follow(position));
        }
        ready();
      },
    );
    await news;
    await Promise.all(loops.values());
  }

  /** Reads a group of streams on a connection of its own until aborted; discovers new queues where `positions` is given. */
  async #loop(
    name: string,
    positions: Map<string, Position> | null,
    group: () => Position[],
    listener: (item: FeedItem) => void,
    signal: AbortSignal,
    discovered: () => void = () => undefined,
  ): Promise<void> {
    const connection = this.#store.open('blocking', name);
    const stop = () => this.#store.release(connection);
    signal.addEventListener('abort', stop, { once: true });
    let first = true;
    while (!signal.aborted) {
      try {
        let news: string | null = null;
        if (positions) {
          news = await this.#lastNews();
          await this.#discover(positions, first);
          discovered();
        }
        first = false;
        // Queues are looked for again once one is announced, and once in a while: who reads is not kept from it.
        const again = this.#clock.monotonic() + DISCOVER_MS;
        while (!signal.aborted && this.#clock.monotonic() < again) {
          const { full, announced } = await this.#read(connection, group(), news, listener, signal);
          if (announced) break;
          // On a busy store many changes come with one read, rather than one read with each of them.
          if (!full) await this.#clock.sleep(GATHER_MS, signal);
        }
      } catch (error) {
        if (signal.aborted) break;
        this.#log.debug('event stream interrupted', { error });
        await this.#clock.sleep(RECONNECT_WAIT_MS / 4, signal);
      }
    }
    stop();
  }

  /** The last entry of the news stream, read before queues are looked for: what comes after it wakes the reader. */
  async #lastNews(): Promise<string> {
    const key = this.#store.keys.system('news');
    const [newest] = await this.#store.command('read news', (redis) => redis.xrevrange(key, '+', '-', 'COUNT', 1));
    return newest?.[0] ?? '0-0';
  }

  /** New queues are read from their beginning; those that were there before us from their end. */
  async #discover(positions: Map<string, Position>, first: boolean): Promise<void> {
    for (const queue of await this.#registry.physicalNames()) {
      if (positions.has(queue)) continue;
      const key = this.#store.keys.events(queue);
      const position: Position = { queue, key, entryId: '0-0', next: null };
      if (first) {
        const [newest] = await this.#store.command('read events', (redis) =>
          redis.xrevrange(key, '+', '-', 'COUNT', 1),
        );
        if (newest) {
          position.entryId = newest[0];
          position.next = decodeEntry(queue, newest[0], newest[1]).next;
        }
      }
      positions.set(queue, position);
    }
  }

  /** @returns whether there is more to read at once, and whether a queue was announced */
  async #read(
    connection: Connection,
    group: readonly Position[],
    news: string | null,
    listener: (item: FeedItem) => void,
    signal: AbortSignal,
  ): Promise<{ full: boolean; announced: boolean }> {
    const read = { full: false, announced: false };
    if (!(await whenReady(connection, RECONNECT_WAIT_MS)) || signal.aborted) return read;
    const streams = group.map(({ key, entryId }) => ({ key, from: entryId }));
    // The news stream has an entry for every new queue: it ends the block, and the queue is discovered.
    if (news !== null) streams.push({ key: this.#store.keys.system('news'), from: news });
    const answer = await connection.xread(
      'COUNT',
      READ_ENTRIES,
      'BLOCK',
      BLOCK_MS,
      'STREAMS',
      ...streams.map(({ key }) => key),
      ...streams.map(({ from }) => from),
    );
    if (signal.aborted || !answer) return read;
    for (const [key, entries] of answer) {
      const position = group.find((candidate) => candidate.key === String(key));
      if (!position) read.announced = true;
      if (!position) continue;
      if (entries.length === READ_ENTRIES) read.full = true;
      for (const [entryId, fields] of entries) this.#take(position, entryId, fields, listener);
    }
    return read;
  }

  #take(position: Position, entryId: string, fields: string[], listener: (item: FeedItem) => void): void {
    const queue = logicalQueue(position.queue);
    const { changes, number, next } = decodeEntry(queue, entryId, fields);
    if (position.next !== null && number !== position.next) {
      const reason =
        number < position.next
          ? 'the store was reset'
          : `${number - position.next} events were trimmed before they were read`;
      listener({ kind: 'gap', queue, reason });
    }
    position.entryId = entryId;
    position.next = next;
    if (changes.length > 0) listener({ kind: 'changes', changes });
  }
}
