/** Verbs that take ids of any queues: each queue's are handed to its own script, in chunks. */
import { LIMITS } from '../contract/limits';
import type { Script } from '../redis/script';
import type { RedisStore } from '../redis/store';
import type { QueueRegistry } from './queue-registry';

/** @returns answers in the order of `ids`; `missing` for those of no known queue */
export async function overQueues<Input, Outcome>(
  { store, registry }: { store: RedisStore; registry: QueueRegistry },
  ids: readonly string[],
  script: Script<Input, Outcome[]>,
  input: (chunk: readonly string[]) => Input,
  missing: Outcome,
): Promise<Outcome[]> {
  const outcomes = new Map<string, Outcome>();
  for (const [queue, group] of await registry.locate(ids)) {
    for (let from = 0; from < group.length; from += LIMITS.sweepBatch) {
      const chunk = group.slice(from, from + LIMITS.sweepBatch);
      const answers = await store.run(script, queue, input(chunk));
      chunk.forEach((id, index) => {
        if (!outcomes.has(id)) outcomes.set(id, answers[index] ?? missing);
      });
    }
  }
  return ids.map((id) => outcomes.get(id) ?? missing);
}
