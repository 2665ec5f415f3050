/**
 * Which shard of its queue a new task goes to. Tasks with a key go where their key says, so that as a rule one script sees
 * all that have it; any other shard would do as well, since KeyGuard asks the others. All other tasks go in whole parts to
 * one shard after the other: a call of many tasks stays one call.
 *
 * The number of shards is remembered from the last answer. One that is old is harmless: every shard is read and served,
 * whatever the number is.
 */
import { LIMITS } from '../contract/limits';
import { random } from '../kernel/ids';
import { mapEntry } from '../kernel/map-entry';
import { shardName, shardOfKey } from '../kernel/shard-name';
import type { TaskSpec } from './ports';

export type Keyed = Pick<TaskSpec, 'idempotencyKey' | 'uniqueKey'>;

/** Something on its way to a physical queue. */
export interface Routed<Task> {
  task: Task;
  shard: string;
}

interface Known {
  shards: number;
  /** The next whole part goes there. */
  next: number;
}

export class ShardRouter {
  readonly #known = new Map<string, Known>();

  knows(queue: string): boolean {
    return this.#known.has(queue);
  }

  learn(queue: string, shards: number): void {
    // Not all processes begin with the same shard.
    const known = mapEntry(this.#known, queue, () => ({ shards, next: Math.floor(random() * shards) }));
    known.shards = shards;
  }

  /** In the order given. */
  route<Task extends { spec: Keyed }>(queue: string, tasks: readonly Task[]): Routed<Task>[] {
    const known = this.#known.get(queue) ?? { shards: 1, next: 0 };
    let unkeyed = 0;
    let shard = 0;
    return tasks.map((task) => {
      const key = task.spec.uniqueKey ?? task.spec.idempotencyKey;
      if (key !== null) return { task, shard: shardName(queue, shardOfKey(key, known.shards)) };
      if (unkeyed++ % LIMITS.submitPart === 0) shard = known.next++ % known.shards;
      return { task, shard: shardName(queue, shard) };
    });
  }
}

/**
 * Two tasks of one call may have one idempotency key, and different unique keys that say different shards.
 * @returns those that may go together, and those that have to wait until these are stored
 */
export function withoutClash<Task extends { spec: Keyed }>(
  routed: readonly Routed<Task>[],
): { now: readonly Routed<Task>[]; later: readonly Routed<Task>[] } {
  if (routed.every(({ shard }) => shard === routed[0]?.shard)) return { now: routed, later: [] };
  const shardOf = new Map<string, string>();
  const now: Routed<Task>[] = [];
  const later: Routed<Task>[] = [];
  for (const one of routed) {
    const { idempotencyKey, uniqueKey } = one.task.spec;
    const keys = [
      idempotencyKey === null ? [] : `i${idempotencyKey}`,
      uniqueKey === null ? [] : `u${uniqueKey}`,
    ].flat();
    const clashes = keys.some((key) => (shardOf.get(key) ?? one.shard) !== one.shard);
    (clashes ? later : now).push(one);
    if (!clashes) for (const key of keys) shardOf.set(key, one.shard);
  }
  return { now, later };
}
