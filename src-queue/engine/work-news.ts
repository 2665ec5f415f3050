/**
 * Which queues have got work: what workers that serve every queue live on, instead of asking a thousand queues.
 *
 * Whoever submits says so on a stream of the system, once in half a minute for each queue: a follower that has heard of
 * a queue blocks on its wake list, and keeps doing so for longer than that (src-worker/claimer.ts). What brings work
 * in other ways (what came due, was requeued, handed back, or an announcement that was lost) shows in the upkeep's pass,
 * which every process makes anyway.
 */
import type { Clock } from '../kernel/clock';
import type { Log } from '../kernel/log';
import { type Connection, whenReady } from '../redis/connection';
import type { RedisStore } from '../redis/store';
import type { QueueRegistry } from './queue-registry';

export const ANNOUNCE_AGAIN_MS = 30_000;
/** Whoever lags behind by more than this is told by the upkeep. */
const NEWS_ENTRIES = 1000;
const BLOCK_MS = 2000;
const WATCHDOG_MS = 2000;
const RECONNECT_WAIT_MS = 250;

type Answer = Awaited<ReturnType<Connection['xread']>>;

interface WorkNewsDeps {
  store: RedisStore;
  registry: Pick<QueueRegistry, 'physicalNames'>;
  clock: Clock;
  log: Log;
}

export class WorkNews {
  readonly #deps: WorkNewsDeps;
  readonly #announcedAt = new Map<string, number>();
  readonly #listeners = new Set<(queue: string) => void>();

  constructor(deps: WorkNewsDeps) {
    this.#deps = deps;
  }

  /** Tells the followers in all processes. Cheap when it was done lately; never rejects: it only makes things quicker. */
  async announce(queue: string): Promise<void> {
    const { store, clock, log } = this.#deps;
    const now = clock.monotonic();
    const at = this.#announcedAt.get(queue);
    if (at !== undefined && now - at < ANNOUNCE_AGAIN_MS) return;
    this.#announcedAt.set(queue, now);
    try {
      await store.command('announce work', (redis) =>
        redis.xadd(store.keys.system('work'), 'MAXLEN', '~', NEWS_ENTRIES, '*', 'queue', queue),
      );
    } catch (error) {
      this.#announcedAt.delete(queue);
      log.debug('work could not be announced', { queue, error });
    }
  }

  /** Tells the followers in this process. */
  mention(queue: string): void {
    for (const listener of this.#listeners) listener(queue);
  }

  /** Tells of every queue there is, then of each that gets work, until aborted. Survives lost connections. */
  async follow(listener: (queue: string) => void, signal: AbortSignal): Promise<void> {
    const { store, registry, clock, log } = this.#deps;
    this.#listeners.add(listener);
    let connection = store.open('blocking', 'news');
    const stop = () => store.release(connection);
    signal.addEventListener('abort', stop, { once: true });
    const key = store.keys.system('work');
    let from: string | null = null;
    while (!signal.aborted) {
      const watchdog = new AbortController();
      try {
        if (from === null) {
          // The position first: what comes after it is read, however long the names take.
          const [newest] = await store.command('read news', (redis) => redis.xrevrange(key, '+', '-', 'COUNT', 1));
          for (const queue of await registry.physicalNames()) listener(queue);
          from = newest?.[0] ?? '0-0';
        }
        if (!(await whenReady(connection, BLOCK_MS)) || signal.aborted) continue;
        const answer: Answer | 'dead' = await Promise.race([
          connection.xread('COUNT', NEWS_ENTRIES, 'BLOCK', BLOCK_MS, 'STREAMS', key, from),
          clock.sleep(BLOCK_MS + WATCHDOG_MS, watchdog.signal).then(() => 'dead' as const),
        ]);
        if (answer === 'dead') {
          store.release(connection);
          connection = store.open('blocking', 'news');
        } else {
          for (const [id, fields] of answer?.[0]?.[1] ?? []) {
            from = id;
            if (fields[1] !== undefined) listener(fields[1]);
          }
        }
      } catch (error) {
        if (signal.aborted) break;
        log.debug('news of work interrupted', { error });
        await clock.sleep(RECONNECT_WAIT_MS, signal);
      } finally {
        watchdog.abort();
      }
    }
    this.#listeners.delete(listener);
    stop();
  }
}
