/** Tells workers that name their queues of the shards of these. Where there is none, it costs one small read in two seconds. */
import type { Clock } from '../kernel/clock';
import { random } from '../kernel/ids';
import { logicalQueue } from '../kernel/shard-name';
import type { QueueRegistry } from './queue-registry';

/** A queue that gets shards waits for workers that name it so long at most. */
const LOOK_EVERY_MS = 2000;

/** Until aborted: each shard other than the first, once. Survives lost connections. */
export async function followShards(
  { registry, clock }: { registry: Pick<QueueRegistry, 'physicalNames'>; clock: Clock },
  queues: readonly string[],
  listener: (shard: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const named = new Set(queues);
  const told = new Set(queues);
  while (!signal.aborted) {
    const names = await registry.physicalNames().catch((): readonly string[] => []);
    if (signal.aborted) return;
    const shards = names.filter((name) => !told.has(name) && named.has(logicalQueue(name)));
    const from = Math.floor(random() * shards.length); // not all workers begin with the same one
    for (const shard of [...shards.slice(from), ...shards.slice(0, from)]) {
      told.add(shard);
      listener(shard);
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}
