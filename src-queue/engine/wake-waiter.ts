/**
 * Idle workers block on the queue's wake list: no polling load, no polling delay. A marker only ever leads to a work
 * call, so one that is lost, or doubled, costs at most the block time.
 *
 * Rules that peers paid for: a connection of its own, a finite block, and a watchdog that throws the connection away
 * and makes a new one instead of trying to revive it.
 */
import type { Clock } from '../kernel/clock';
import type { Connection } from '../redis/connection';
import { whenReady } from '../redis/connection';
import type { RedisStore } from '../redis/store';

const WATCHDOG_MS = 2000;
const MIN_BLOCK_S = 0.01;

export class WakeWaiter {
  readonly #store: RedisStore;
  readonly #clock: Clock;
  readonly #groups = new Map<string, BlockedGroup>();

  constructor(store: RedisStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Resolves when one of the queues may have work, after `maxMs`, or on abort. Never rejects. */
  async wait(queues: readonly string[], maxMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || queues.length === 0) return;
    // In a cluster, keys of two queues cannot meet in one command: each queue blocks on a connection of its own.
    const groups = this.#store.isCluster ? queues.map((queue) => [queue]) : [queues];
    const done = new AbortController();
    const stop = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true, signal: done.signal });
    });
    await Promise.race([stop, ...groups.map((group) => this.#group(group).wait(maxMs))]);
    done.abort(); // a caller's signal may live long: it must not collect listeners
  }

  close(): void {
    for (const group of this.#groups.values()) group.close();
    this.#groups.clear();
  }

  #group(queues: readonly string[]): BlockedGroup {
    const name = queues.join(',');
    let group = this.#groups.get(name);
    if (!group) {
      group = new BlockedGroup(
        this.#store,
        this.#clock,
        queues.map((queue) => this.#store.keys.wake(queue)),
      );
      this.#groups.set(name, group);
    }
    return group;
  }
}

/** One blocking command at a time; a marker that arrives while nobody waits is kept for the next one. */
class BlockedGroup {
  readonly #store: RedisStore;
  readonly #clock: Clock;
  readonly #keys: readonly string[];
  #connection: Connection | null = null;
  #block: Promise<void> | null = null;
  #marker = false;
  #closed = false;

  constructor(store: RedisStore, clock: Clock, keys: readonly string[]) {
    this.#store = store;
    this.#clock = clock;
    this.#keys = keys;
  }

  async wait(maxMs: number): Promise<void> {
    if (this.#marker) {
      this.#marker = false;
      return;
    }
    this.#block ??= this.#run(maxMs).finally(() => {
      this.#block = null;
    });
    // An older block may last longer than this caller wants to wait.
    const enough = new AbortController();
    await Promise.race([this.#block, this.#clock.sleep(maxMs, enough.signal)]);
    enough.abort();
    this.#marker = false;
  }

  async #run(maxMs: number): Promise<void> {
    if (this.#closed) return;
    this.#connection ??= this.#store.open('blocking', 'wake');
    const connection = this.#connection;
    if (!(await whenReady(connection, maxMs))) return;
    const watchdog = new AbortController();
    try {
      const seconds = Math.max(MIN_BLOCK_S, maxMs / 1000);
      const popped = await Promise.race([
        connection.blpop([...this.#keys], seconds),
        this.#clock.sleep(maxMs + WATCHDOG_MS, watchdog.signal).then(() => 'dead' as const),
      ]);
      if (popped === 'dead') this.#discard(connection);
      else if (popped) this.#marker = true;
    } catch {
      // The connection is lost or was closed: it comes back by itself, and waking early is harmless.
      await this.#clock.sleep(Math.min(maxMs, 50));
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
