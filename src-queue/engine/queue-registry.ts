/**
 * Which queues there are, and which of them an id belongs to. The set only grows, so a copy in the process is kept;
 * it is read anew when an id or a name is asked for that the copy does not know.
 *
 * It holds physical queues: each shard of a queue is one. Readers and workers go by what is here, and not by the number
 * of shards that is set, so that what lies in a shard that gets no more tasks is found.
 */
import type { Clock } from '../kernel/clock';
import { queueTag, tagOfId } from '../kernel/ids';
import { mapEntry } from '../kernel/map-entry';
import { logicalQueue, shardNumber } from '../kernel/shard-name';
import type { RedisStore } from '../redis/store';

/** A registered name is written again after so long, so that a flushed store learns of its queues. */
const REGISTER_AGAIN_MS = 30_000;
/** The news stream only wakes readers; the set is what counts. */
const NEWS_ENTRIES = 100;

export class QueueRegistry {
  readonly #store: RedisStore;
  readonly #clock: Clock;
  #names: readonly string[] = [];
  #byTag = new Map<string, string[]>();
  readonly #registeredAt = new Map<string, number>();

  constructor(store: RedisStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** As Redis has them now, sorted; one with shards once. */
  async names(): Promise<readonly string[]> {
    return [...(await this.shardsByQueue()).keys()];
  }

  /** The physical queues of each as Redis has them now, in order of their numbers; the first one always. */
  async shardsByQueue(): Promise<Map<string, string[]>> {
    const shards = new Map<string, string[]>();
    for (const name of await this.physicalNames()) {
      const queue = logicalQueue(name);
      const known = mapEntry(shards, queue, () => [queue]);
      if (name !== queue) known.push(name);
    }
    for (const all of shards.values()) all.sort((a, b) => shardNumber(a) - shardNumber(b));
    return new Map([...shards].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Of one queue, also where nobody has used it. */
  async shardsOf(queue: string): Promise<string[]> {
    return (await this.shardsByQueue()).get(queue) ?? [queue];
  }

  /** Every shard of every queue as Redis has them now, sorted. */
  async physicalNames(): Promise<readonly string[]> {
    const { keys } = this.#store;
    const names = (await this.#store.command('list queues', (redis) => redis.smembers(keys.system('queues')))).sort();
    if (names.length !== this.#names.length || names.some((name, index) => name !== this.#names[index])) {
      this.#names = names;
      this.#byTag = new Map();
      for (const name of names) {
        const tag = queueTag(name);
        this.#byTag.set(tag, [...(this.#byTag.get(tag) ?? []), name]);
      }
    }
    return this.#names;
  }

  /** Makes the queue known to everyone; cheap when it was done lately. */
  async register(queue: string, { anew = false }: { anew?: boolean } = {}): Promise<void> {
    const now = this.#clock.monotonic();
    const at = this.#registeredAt.get(queue);
    if (!anew && at !== undefined && now - at < REGISTER_AGAIN_MS) return;
    const { keys } = this.#store;
    const added = await this.#store.command('register queue', (redis) => redis.sadd(keys.system('queues'), queue));
    if (added === 1) {
      await this.#store.command('announce queue', (redis) =>
        redis.xadd(keys.system('news'), 'MAXLEN', '~', NEWS_ENTRIES, '*', 'queue', queue),
      );
    }
    this.#registeredAt.set(queue, now);
  }

  /** Groups ids by the queue they belong to; ids of no known queue are left out. One round trip at most, as a rule none. */
  async locate(ids: readonly string[]): Promise<Map<string, string[]>> {
    if (ids.some((id) => !this.#byTag.has(tagOfId(id)))) await this.physicalNames();
    const groups = new Map<string, string[]>();
    for (const id of ids) {
      const candidates = this.#byTag.get(tagOfId(id)) ?? [];
      const queue = candidates.length > 1 ? await this.#holder(id, candidates) : candidates[0];
      if (queue === undefined) continue;
      const group = groups.get(queue);
      if (group) group.push(id);
      else groups.set(queue, [id]);
    }
    return groups;
  }

  async #holder(id: string, candidates: readonly string[]): Promise<string | undefined> {
    for (const queue of candidates) {
      const there = await this.#store.command('find task', (redis) =>
        redis.exists(this.#store.keys.of(queue, `t:${id}`)),
      );
      if (there === 1) return queue;
    }
    return undefined;
  }
}
