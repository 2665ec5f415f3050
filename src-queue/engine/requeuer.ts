/**
 * Requeues tasks. Those with a unique key take a second turn: the key holds over all queues, so the others are asked for
 * it first, as for a submit, and while this process holds the claim on it.
 */
import { LIMITS } from '../contract/limits';
import type { Clock } from '../kernel/clock';
import { read } from '../redis/scripts/read';
import { type RequeueAnswer, type RequeueInput, requeue } from '../redis/scripts/requeue';
import type { RedisStore } from '../redis/store';
import { decodeRecord } from '../redis/task-record';
import { KeyGuard } from './key-guard';
import { overQueues } from './over-queues';
import type { RequeueOutcome } from './ports';
import type { QueueRegistry } from './queue-registry';

interface RequeuerDeps {
  store: RedisStore;
  registry: QueueRegistry;
  clock: Clock;
}

export class Requeuer {
  readonly #deps: RequeuerDeps;
  readonly #keyGuard: KeyGuard;

  constructor(deps: RequeuerDeps) {
    this.#deps = deps;
    this.#keyGuard = new KeyGuard(deps);
  }

  async requeue(
    ids: readonly string[],
    { payload = null, priority = null }: { payload?: string | null; priority?: number | null },
  ): Promise<RequeueOutcome[]> {
    const inputOf = (chunk: readonly string[], keysChecked: boolean) => ({
      ids: chunk,
      payload,
      priority,
      keysChecked,
    });
    const first = await overQueues(this.#deps, ids, requeue, (chunk) => inputOf(chunk, false), 'gone');
    const outcomes = new Map(ids.map((id, index) => [id, first[index] ?? 'gone']));
    const keyed = ids.filter((id) => outcomes.get(id) === 'keyed');
    for (const [queue, group] of await this.#deps.registry.locate(keyed)) {
      for (let from = 0; from < group.length; from += LIMITS.sweepBatch) {
        const chunk = group.slice(from, from + LIMITS.sweepBatch);
        const answers = await this.#requeueKeyed(queue, chunk, (accepted) => inputOf(accepted, true));
        for (const [id, answer] of answers) outcomes.set(id, answer);
      }
    }
    return ids.map((id) => {
      const outcome = outcomes.get(id) ?? 'gone';
      return outcome === 'keyed' ? 'gone' : outcome;
    });
  }

  async #requeueKeyed(
    queue: string,
    ids: readonly string[],
    input: (accepted: readonly string[]) => RequeueInput,
  ): Promise<[string, RequeueAnswer][]> {
    const { store } = this.#deps;
    const raws = await store.run(read, queue, { ids, previewBytes: 0 });
    const specs = raws.map(({ record }) => ({
      idempotencyKey: null,
      uniqueKey: record === '' ? null : decodeRecord(record).uniqueKey,
    }));
    const keys = await this.#keyGuard.check(
      specs.map(() => queue),
      specs,
    );
    try {
      const accepted = ids.filter((_, index) => !keys.refused[index]);
      const answers = await store.run(requeue, queue, input(accepted));
      const refused = ids.filter((_, index) => keys.refused[index]);
      return [
        ...accepted.map((id, index): [string, RequeueAnswer] => [id, answers[index] ?? 'gone']),
        ...refused.map((id): [string, RequeueOutcome] => [id, 'duplicate']),
      ];
    } finally {
      await keys.release();
    }
  }
}
