/**
 * Operations as Redis keeps them: the record, the ids that are still to do, and who carries it out. All of it lies in
 * the slot of `{_sys}`, so an operation survives its client, its server and a restart.
 */
import { z } from 'zod';
import { Operation, type OperationState } from '../contract/operation';
import type { RedisStore } from '../redis/store';

/** An operation's carrier says so again with every chunk; one that is silent for so long is replaced. */
const LOCK_MS = 10_000;
/** Ended operations that are kept, the newest. */
const KEPT = 500;
const PUSH_CHUNK = 5000;

const Stored = Operation.omit({
  done: true,
  skipped: true,
  failed: true,
  state: true,
  finished_at: true,
  message: true,
});
type Stored = z.infer<typeof Stored>;
const Counts = z.object({ done: z.coerce.number(), skipped: z.coerce.number(), failed: z.coerce.number() });

export interface Progress {
  done: number;
  skipped: number;
  failed: number;
}

export class OperationStore {
  readonly #store: RedisStore;

  constructor(store: RedisStore) {
    this.#store = store;
  }

  async create(operation: Operation, ids: readonly string[]): Promise<void> {
    const { key, ids: idsKey, all, live } = this.#keys(operation.id);
    const {
      done: _done,
      skipped: _skipped,
      failed: _failed,
      state,
      finished_at: _finished,
      message: _message,
      ...stored
    } = operation;
    await this.#store.command('create operation', async (redis) => {
      await redis.del(idsKey);
      for (let from = 0; from < ids.length; from += PUSH_CHUNK)
        await redis.rpush(idsKey, ...ids.slice(from, from + PUSH_CHUNK));
      const data = JSON.stringify(stored satisfies Stored);
      await redis.hset(key, { data, state, done: 0, skipped: 0, failed: 0, finished_at: '', message: '' });
      await redis.sadd(live, operation.id); // before it is listed: what is listed and not ended is here
      await redis.zadd(all, Date.parse(operation.started_at), operation.id);
      const old = await redis.zrange(all, '0', String(-(KEPT + 1)));
      if (old.length > 0) {
        await redis.zrem(all, ...old);
        await redis.srem(live, ...old);
        await redis.del(...old.flatMap((id) => [this.#keys(id).key, this.#keys(id).ids]));
      }
    });
  }

  async get(id: string): Promise<Operation | null> {
    const fields = await this.#store.command('read operation', (redis) => redis.hgetall(this.#keys(id).key));
    if (fields.data === undefined) return null;
    return Operation.parse({
      ...Stored.parse(JSON.parse(fields.data)),
      ...Counts.parse(fields),
      state: fields.state,
      finished_at: fields.finished_at === '' ? null : fields.finished_at,
      message: fields.message === '' ? null : fields.message,
    });
  }

  /** Newest first. */
  async list(): Promise<Operation[]> {
    const ids = await this.#store.command('list operations', (redis) =>
      redis.zrevrange(this.#keys('').all, 0, KEPT - 1),
    );
    const found = await Promise.all(ids.map((id) => this.get(id)));
    return found.filter((operation) => operation !== null);
  }

  /** Those that have not ended, newest first: costs as much as there are of them, not as are kept. */
  async active(): Promise<Operation[]> {
    const ids = await this.#store.command('list operations', (redis) => redis.smembers(this.#keys('').live));
    const found = await Promise.all(ids.map((id) => this.get(id)));
    return found.filter((operation) => operation !== null).sort((a, b) => (a.started_at < b.started_at ? 1 : -1));
  }

  async setState(
    id: string,
    state: OperationState,
    end: { at: string; message: string | null } | null = null,
  ): Promise<void> {
    await this.#store.command('change operation', async (redis) => {
      const { key, ids, live } = this.#keys(id);
      await redis.hset(key, { state, ...(end ? { finished_at: end.at, message: end.message ?? '' } : {}) });
      if (end) await redis.multi().del(ids).srem(live, id).exec();
      else await redis.sadd(live, id);
    });
  }

  nextIds(id: string, count: number): Promise<string[]> {
    return this.#store.command('read operation', (redis) => redis.lrange(this.#keys(id).ids, 0, count - 1));
  }

  /** The first `count` ids are done: takes them off and adds to the counts. */
  async advance(id: string, count: number, progress: Progress): Promise<void> {
    const { key, ids } = this.#keys(id);
    await this.#store.command('advance operation', (redis) =>
      redis
        .multi()
        .ltrim(ids, count, -1)
        .hincrby(key, 'done', progress.done)
        .hincrby(key, 'skipped', progress.skipped)
        .hincrby(key, 'failed', progress.failed)
        .exec(),
    );
  }

  /** One process carries an operation out. @returns whether it is this one */
  async lock(id: string, owner: string): Promise<boolean> {
    const { lock } = this.#keys(id);
    return this.#store.command('lock operation', async (redis) => {
      if ((await redis.set(lock, owner, 'PX', LOCK_MS, 'NX')) === 'OK') return true;
      if ((await redis.get(lock)) !== owner) return false;
      await redis.pexpire(lock, LOCK_MS);
      return true;
    });
  }

  async unlock(id: string, owner: string): Promise<void> {
    const { lock } = this.#keys(id);
    await this.#store.command('unlock operation', async (redis) => {
      if ((await redis.get(lock)) === owner) await redis.del(lock);
    });
  }

  #keys(id: string) {
    const { keys } = this.#store;
    return {
      all: keys.system('operations'),
      live: keys.system('operations:live'),
      key: keys.system(`op:${id}`),
      ids: keys.system(`op:${id}:ids`),
      lock: keys.system(`op:${id}:lock`),
    };
  }
}
