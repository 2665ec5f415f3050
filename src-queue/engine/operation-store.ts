/**
 * Operations as Redis keeps them: the record, the ids that are still to do, and who carries it out. All of it lies in
 * the slot of `{_sys}`, so an operation survives its client, its server and a restart.
 */
import { z } from 'zod';
import { LIMITS } from '../contract/limits';
import { Operation, OperationItem, type OperationState } from '../contract/operation';
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
  eta_seconds: true,
  recent: true,
});
type Stored = z.infer<typeof Stored>;
/** Those of an older version have neither pace nor items. */
const Counts = z.object({
  done: z.coerce.number(),
  skipped: z.coerce.number(),
  failed: z.coerce.number(),
});
const Recent = z.array(OperationItem);
/** What the newest chunk weighs in the pace. */
const NEWEST_WEIGHT = 0.3;

export interface Progress {
  done: number;
  skipped: number;
  failed: number;
  /** Those that were skipped or failed, in the order of the ids. */
  items: OperationItem[];
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
      eta_seconds: _eta,
      recent: _recent,
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
    const fields = await this.#read(id);
    return fields && operationOf(fields, Recent.parse(JSON.parse(fields.recent ?? '[]')));
  }

  /** Without its items. */
  async #brief(id: string): Promise<Operation | null> {
    const fields = await this.#read(id);
    return fields && operationOf(fields);
  }

  async #read(id: string): Promise<Fields | null> {
    const fields = await this.#store.command('read operation', (redis) => redis.hgetall(this.#keys(id).key));
    return fields.data === undefined ? null : { ...fields, data: fields.data };
  }

  /** Newest first. */
  async list(): Promise<Operation[]> {
    const ids = await this.#store.command('list operations', (redis) =>
      redis.zrevrange(this.#keys('').all, 0, KEPT - 1),
    );
    const found = await Promise.all(ids.map((id) => this.#brief(id)));
    return found.filter((operation) => operation !== null);
  }

  /** Those that have not ended, newest first: costs as much as there are of them, not as are kept. */
  async active(): Promise<Operation[]> {
    const ids = await this.#store.command('list operations', (redis) => redis.smembers(this.#keys('').live));
    const found = await Promise.all(ids.map((id) => this.#brief(id)));
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

  /** The first `count` ids are done, in `tookMs`: takes them off, adds to the counts, and keeps the newest items. */
  async advance(id: string, count: number, progress: Progress, tookMs: number): Promise<void> {
    const { key, ids } = this.#keys(id);
    const { done, skipped, failed, items } = progress;
    await this.#store.command('advance operation', async (redis) => {
      // Its carrier alone writes these, so reading them before is safe.
      const [before = null, recent = null] = await redis.hmget(key, 'pace', 'recent');
      const pace = count / Math.max(0.001, tookMs / 1000);
      const smooth = before === null ? pace : Number(before) * (1 - NEWEST_WEIGHT) + pace * NEWEST_WEIGHT;
      const kept = [...items.reverse(), ...Recent.parse(JSON.parse(recent ?? '[]'))].slice(0, LIMITS.operationRecent);
      await redis
        .multi()
        .ltrim(ids, count, -1)
        .hincrby(key, 'done', done)
        .hincrby(key, 'skipped', skipped)
        .hincrby(key, 'failed', failed)
        .hset(key, { pace: smooth, recent: JSON.stringify(kept) })
        .exec();
    });
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

type Fields = Record<string, string> & { data: string };

function operationOf(fields: Fields, recent?: OperationItem[]): Operation {
  const stored = Stored.parse(JSON.parse(fields.data));
  const counts = Counts.parse(fields);
  const left = stored.matched - counts.done - counts.skipped - counts.failed;
  const pace = Math.min(stored.rate ?? Number.POSITIVE_INFINITY, Number(fields.pace ?? Number.POSITIVE_INFINITY));
  return Operation.parse({
    ...stored,
    ...counts,
    state: fields.state,
    finished_at: fields.finished_at === '' ? null : fields.finished_at,
    message: fields.message === '' ? null : fields.message,
    eta_seconds: fields.state === 'running' && Number.isFinite(pace) && pace > 0 ? Math.max(0, left) / pace : null,
    ...(recent && { recent }),
  });
}
