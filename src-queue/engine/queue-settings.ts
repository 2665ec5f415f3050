/**
 * Pause, resume and limits of a queue, over all its shards. Limits on concurrency and rate are divided among the shards, as
 * a script sees its own shard only. The shards are told one after the other, shard 0, of which everybody asks, last: where
 * that breaks off, the same call again completes it.
 */
import { QueueError } from '../contract/errors';
import { shardName, shardNumber } from '../kernel/shard-name';
import { configure, type QueueSetting } from '../redis/scripts/configure';
import { type StateAnswer, state } from '../redis/scripts/state';
import type { RedisStore } from '../redis/store';
import type { QueueLimitsMs } from './ports';
import type { QueueRegistry } from './queue-registry';
import { joinLimits, shareOf } from './shard-limits';

type Settings = Partial<Record<QueueSetting, string | number | null>>;

export class QueueSettings {
  readonly #store: RedisStore;
  readonly #registry: QueueRegistry;

  constructor({ store, registry }: { store: RedisStore; registry: QueueRegistry }) {
    this.#store = store;
    this.#registry = registry;
  }

  async pause(queue: string): Promise<void> {
    await this.#registry.register(queue);
    await this.#tell(queue, { paused: 1 });
  }

  async resume(queue: string): Promise<void> {
    await this.#tell(queue, { paused: null });
  }

  /** A field that is absent stays. @throws {QueueError} CONFLICT, INVALID where a limit cannot be divided */
  async setLimits(queue: string, limits: Partial<QueueLimitsMs>): Promise<void> {
    await this.#registry.register(queue);
    const there = await this.#registry.shardsOf(queue);
    const states = await Promise.all(there.map((shard) => this.#look(shard)));
    const now = joinLimits(states);
    const wanted: QueueLimitsMs = { ...now, ...limits };
    checkDivisible(wanted, now);
    if (wanted.agingMs !== now.agingMs && states.some(isBusy)) throw agingStays(queue);
    const shards = new Set([...there, ...Array.from({ length: wanted.shards }, (_, k) => shardName(queue, k))]);
    for (const shard of shards) if (!there.includes(shard)) await this.#registry.register(shard, { anew: true });
    // Read once all are registered: a pause from now on reaches the new ones by itself.
    const { paused } = await this.#look(queue);
    for (const shard of [...shards].reverse()) {
      const k = shardNumber(shard);
      const divided = { ...wanted, ...shareOf(wanted, k) };
      const isNew = k >= now.shards;
      const fields = fieldsOf(divided, isNew || wanted.shards !== now.shards ? divided : limits);
      const settings: Settings = isNew && paused ? { ...fields, paused: 1 } : fields;
      if (!(await this.#store.run(configure, shard, settings))) throw agingStays(queue);
    }
  }

  #look(shard: string): Promise<StateAnswer> {
    return this.#store.run(state, shard, { id: null });
  }

  async #tell(queue: string, settings: Settings): Promise<void> {
    for (const shard of await this.#registry.shardsOf(queue)) await this.#store.run(configure, shard, settings);
  }
}

const isBusy = ({ counts }: StateAnswer): boolean => counts.pending + counts.processing > 0;

function agingStays(queue: string): QueueError {
  return new QueueError('CONFLICT', `aging of queue ${queue} can change only while nothing is pending or running`);
}

/** As the scripts have them: those that `of` names. */
function fieldsOf(limits: QueueLimitsMs, of: Partial<QueueLimitsMs>): Settings {
  const { concurrency, rate, targetAgeMs, agingMs, durability, shards } = limits;
  return {
    ...(of.concurrency !== undefined && { concurrency }),
    ...(of.rate !== undefined && { rate_max: rate?.max ?? null, rate_per: rate?.perMs ?? null }),
    ...(of.targetAgeMs !== undefined && { target_age: targetAgeMs }),
    ...(of.agingMs !== undefined && { aging: agingMs }),
    ...(of.durability !== undefined && { durability }),
    ...(of.shards !== undefined && { shards: shards === 1 ? null : shards }),
  };
}

/** Each shard has to get something. The field named is the one that the caller wants to change. */
function checkDivisible({ shards, concurrency, rate }: QueueLimitsMs, now: QueueLimitsMs): void {
  const tooSmall = [
    { path: 'concurrency', what: 'the limit of concurrency', most: concurrency, before: now.concurrency },
    { path: 'rate', what: 'the limit of the rate', most: rate?.max ?? null, before: now.rate?.max ?? null },
  ].find(({ most }) => most !== null && most < shards);
  if (tooSmall === undefined) return;
  const { what, most, before } = tooSmall;
  const message = `${what}, ${most}, is divided among ${shards} shards: it must be ${shards} at least, or the shards at most ${most}`;
  const path = most === before ? 'shards' : tooSmall.path;
  throw new QueueError('INVALID', message, { fields: [{ path, message }] });
}
