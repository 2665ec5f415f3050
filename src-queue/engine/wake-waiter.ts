/**
 * Idle workers block on the wake lists of their queues: no polling load, no polling delay. A marker only ever leads to
 * a work call, so one that is lost, or doubled, costs at most the block time. A wait answers which queues woke it, so
 * that a worker of a thousand queues asks one of them and not a thousand. A worker of one queue also blocks on the list of
 * tasks that are handed to it.
 *
 * Rules that peers paid for: a connection of its own, a finite block, and a watchdog that throws the connection away
 * and makes a new one instead of trying to revive it.
 */

import { LIMITS } from '../contract/limits';
import type { Clock } from '../kernel/clock';
import type { Connection } from '../redis/connection';
import { whenReady } from '../redis/connection';
import { handedEntry } from '../redis/scripts/work';
import type { RedisStore } from '../redis/store';
import { claimedTask } from './claimed-task';
import type { Awakening, ClaimedTask } from './ports';

const WATCHDOG_MS = 2000;
const MIN_BLOCK_S = 0.01;
/** A nudge that nobody fetches does not stay. */
const NUDGE_TTL_MS = 10_000;

const NOTHING: Awakening = { queues: [], handed: [] };

type Store = Pick<RedisStore, 'command' | 'isCluster' | 'keys' | 'open' | 'refusal' | 'release'>;

export class WakeWaiter {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #name: string;
  readonly #groups = new Map<string, BlockedGroup>();

  /** @param name of the waiter: the worker's id */
  constructor(store: Store, clock: Clock, name: string) {
    this.#store = store;
    this.#clock = clock;
    this.#name = name;
  }

  /**
   * Resolves with those of the queues that may have work and what was handed over; nothing after `maxMs` or on abort.
   * Never rejects. What comes while nobody waits is kept for the next wait.
   * What comes first in `queues` counts most: beyond the bound on wake lists the rest is not listened to.
   */
  async wait(queues: readonly string[], maxMs: number, signal: AbortSignal): Promise<Awakening> {
    if (signal.aborted || queues.length === 0) return NOTHING;
    if (this.#store.refusal !== null) {
      await this.#clock.sleep(maxMs, signal); // a wait takes the markers of others off their lists
      return NOTHING;
    }
    const done = new AbortController();
    const stop = () => done.abort();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const groups = this.#grouped(queues);
      await Promise.race(groups.map(([group, names]) => group.wait(names, maxMs, done.signal)));
      const woken = groups.map(([group]) => group.take()); // of all: several may have something
      return { queues: woken.flatMap((one) => one.queues), handed: woken.flatMap((one) => one.handed) };
    } finally {
      signal.removeEventListener('abort', stop); // a caller's signal may live long: it must not collect listeners
      done.abort();
    }
  }

  close(): void {
    for (const group of this.#groups.values()) group.close();
    this.#groups.clear();
  }

  /** In a cluster, keys of two queues cannot meet in one command: each queue blocks on a connection of its own. */
  #grouped(queues: readonly string[]): [BlockedGroup, readonly string[]][] {
    if (!this.#store.isCluster) {
      const nudge = this.#store.keys.system(`nudge:${this.#name}`);
      return [[this.#group('', nudge), queues.slice(0, LIMITS.wakeLists)]];
    }
    const wanted = new Set(queues.slice(0, LIMITS.clusterWakeLists));
    for (const [queue, group] of this.#groups) {
      if (wanted.has(queue)) continue;
      group.close();
      this.#groups.delete(queue);
    }
    return [...wanted].map((queue) => [this.#group(queue, null), [queue]]);
  }

  #group(name: string, nudge: string | null): BlockedGroup {
    let group = this.#groups.get(name);
    if (!group) {
      group = new BlockedGroup(this.#store, this.#clock, this.#name, nudge);
      this.#groups.set(name, group);
    }
    return group;
  }
}

/** What a key is to those who block on it. */
interface Source {
  queue: string;
  /** Its entries are tasks, not markers. */
  hands: boolean;
}

/** One blocking command at a time. */
class BlockedGroup {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #workerId: string;
  /** A list of our own that ends a block which lacks a queue; null where the queues never change. */
  readonly #nudge: string | null;
  #connection: Connection | null = null;
  #block: Promise<void> | null = null;
  /** Keys, and what each is of. */
  #blockedOn: ReadonlyMap<string, Source> = new Map();
  #woken = new Set<string>();
  #handed: ClaimedTask[] = [];
  #failed = false;
  #closed = false;

  constructor(store: Store, clock: Clock, workerId: string, nudge: string | null) {
    this.#store = store;
    this.#clock = clock;
    this.#workerId = workerId;
    this.#nudge = nudge;
  }

  /** Resolves when there is something to take, or after `maxMs`, or on abort. */
  async wait(queues: readonly string[], maxMs: number, signal: AbortSignal): Promise<void> {
    const until = this.#clock.monotonic() + maxMs;
    while (!this.#closed && !signal.aborted) {
      if (this.#woken.size > 0 || this.#handed.length > 0) return;
      const leftMs = until - this.#clock.monotonic();
      if (leftMs <= 0) return;
      await this.#blocked(queues, leftMs, signal);
      if (this.#failed) break; // a marker may have been lost with the connection: waking early is harmless
    }
    this.#failed = false;
  }

  take(): Awakening {
    const woken = { queues: [...this.#woken], handed: this.#handed };
    this.#woken = new Set();
    this.#handed = [];
    return woken;
  }

  #sources(queues: readonly string[]): Map<string, Source> {
    const { keys } = this.#store;
    const sources = new Map<string, Source>();
    const [first, second] = queues;
    if (first !== undefined && second === undefined)
      sources.set(keys.handed(first, this.#workerId), { queue: first, hands: true });
    for (const queue of queues) sources.set(keys.wake(queue), { queue, hands: false });
    return sources;
  }

  /** Until the block ends. An older one may last longer than this caller wants to wait, and may lack a key. */
  async #blocked(queues: readonly string[], maxMs: number, signal: AbortSignal): Promise<void> {
    const sources = this.#sources(queues);
    if (this.#block === null) {
      this.#blockedOn = sources;
      this.#block = this.#run(sources, maxMs).finally(() => {
        this.#block = null;
      });
    } else if ([...sources.keys()].some((key) => !this.#blockedOn.has(key))) this.#endBlock();
    const enough = new AbortController();
    const stop = () => enough.abort();
    signal.addEventListener('abort', stop, { once: true });
    await Promise.race([this.#block, this.#clock.sleep(maxMs, enough.signal)]);
    signal.removeEventListener('abort', stop);
    enough.abort();
  }

  #endBlock(): void {
    const nudge = this.#nudge;
    if (nudge === null) return;
    this.#store
      .command('nudge', (redis) => redis.multi().lpush(nudge, '1').pexpire(nudge, NUDGE_TTL_MS).exec())
      .catch(() => undefined); // the block ends by itself
  }

  async #run(sources: ReadonlyMap<string, Source>, maxMs: number): Promise<void> {
    this.#connection ??= this.#store.open('blocking', 'wake');
    const connection = this.#connection;
    if (!(await whenReady(connection, maxMs))) return;
    const watchdog = new AbortController();
    try {
      const seconds = Math.max(MIN_BLOCK_S, maxMs / 1000);
      const popped = await Promise.race([
        connection.blpop([...(this.#nudge === null ? [] : [this.#nudge]), ...sources.keys()], seconds),
        this.#clock.sleep(maxMs + WATCHDOG_MS, watchdog.signal).then(() => 'dead' as const),
      ]);
      if (popped === 'dead') this.#discard(connection);
      else if (popped) {
        const source = sources.get(popped[0]);
        if (source?.hands) {
          const { now, ...record } = handedEntry(popped[1]);
          this.#handed.push(claimedTask(source.queue, record, now));
        } else if (source !== undefined) this.#woken.add(source.queue);
      }
    } catch {
      // The connection is lost or was closed: it comes back by itself.
      await this.#clock.sleep(Math.min(maxMs, 50));
      this.#failed = true;
    } finally {
      watchdog.abort();
    }
  }

  #discard(connection: Connection): void {
    this.#store.release(connection);
    if (this.#connection === connection) this.#connection = null;
  }

  close(): void {
    this.#closed = true;
    if (this.#connection) this.#discard(this.#connection);
  }
}
