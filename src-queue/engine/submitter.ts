/**
 * Takes tasks in. Single submits of one event-loop turn travel together in calls of at most 25: larger calls make
 * client and Redis take turns instead of working at the same time. What a queue with shards gets is divided here: see
 * ShardRouter.
 */
import { QueueError } from '../contract/errors';
import { LIMITS } from '../contract/limits';
import { Durability } from '../contract/primitives';
import type { Clock } from '../kernel/clock';
import type { IdFactory } from '../kernel/ids';
import { mapEntry } from '../kernel/map-entry';
import { logicalQueue } from '../kernel/shard-name';
import { type SubmitAnswer, type SubmitEntry, type SubmitVerdict, submit } from '../redis/scripts/submit';
import type { RedisStore } from '../redis/store';
import type { Dependencies } from './dependencies';
import { KeyGuard } from './key-guard';
import type { SubmitOutcome, TaskSpec } from './ports';
import type { QueueRegistry } from './queue-registry';
import { type Routed, ShardRouter, withoutClash } from './shard-router';
import type { WorkNews } from './work-news';

const TURN_BATCH = 25;
/** Calls of many tasks on their way at a time: one is made ready while Redis works on the other. */
const PARTS_AT_ONCE = 2;
/** A call carries about this much at most, so that no single script holds Redis for long. */
const CALL_CHARS = 2 * 1024 * 1024;

interface Waiting {
  spec: TaskSpec;
  resolve: (outcome: SubmitOutcome) => void;
  reject: (error: unknown) => void;
}

/** A task, and its place among the outcomes. */
interface Placed {
  spec: TaskSpec;
  index: number;
}

interface Taken extends SubmitAnswer {
  /** Why the tasks are not as safe as asked, though stored; or null. */
  shortfall: string | null;
}

interface SubmitterDeps {
  store: RedisStore;
  registry: QueueRegistry;
  news: WorkNews;
  ids: IdFactory;
  clock: Clock;
  dependencies: Dependencies;
}

export class Submitter {
  readonly #deps: SubmitterDeps;
  readonly #keyGuard: KeyGuard;
  readonly #router = new ShardRouter();
  /** Of each queue that has taken a submit, as it was last seen: each answer tells it anew. */
  readonly #durabilities = new Map<string, Durability>();
  #waiting: Waiting[] = [];

  constructor(deps: SubmitterDeps) {
    this.#deps = deps;
    this.#keyGuard = new KeyGuard(deps);
  }

  submit(spec: TaskSpec): Promise<SubmitOutcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ spec, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#flush());
    });
  }

  async submitMany(specs: readonly TaskSpec[]): Promise<SubmitOutcome[]> {
    const outcomes: SubmitOutcome[] = [];
    const groups = new Map<string, Placed[]>();
    specs.forEach((spec, index) => {
      const name = `${spec.queue} ${spec.durability ?? ''}`;
      const group = groups.get(name);
      if (group) group.push({ spec, index });
      else groups.set(name, [{ spec, index }]);
    });
    for (const group of groups.values()) {
      const queue = group[0]?.spec.queue ?? '';
      if (!this.#router.knows(queue)) await this.#askSettings(queue);
      let open: readonly Routed<Placed>[] = this.#router.route(queue, group);
      while (open.length > 0) {
        const { now, later } = withoutClash(open);
        await this.#submitTogether(now, outcomes);
        open = later;
      }
    }
    return outcomes;
  }

  /** Tasks of one queue, in any of its shards, whose keys do not clash. */
  async #submitTogether(routed: readonly Routed<Placed>[], outcomes: SubmitOutcome[]): Promise<void> {
    const { registry, dependencies, news } = this.#deps;
    for (const shard of new Set(routed.map(({ shard }) => shard))) await registry.register(shard);
    const specs = routed.map(({ task }) => task.spec);
    const missing = await dependencies.findMissing(specs);
    const keys = await this.#keyGuard.check(
      routed.map(({ shard }) => shard),
      specs,
    );
    try {
      const accepted = new Map<string, Placed[]>();
      routed.forEach(({ task, shard }, position) => {
        const error = missing[position] ?? keys.refused[position];
        if (error) outcomes[task.index] = { ok: false, error };
        else mapEntry(accepted, keys.queues[position] ?? shard, newList).push(task);
      });
      await this.#storeAll(accepted, outcomes);
      for (const shard of accepted.keys()) await news.announce(shard); // not before: who hears of it looks at once
    } finally {
      await keys.release();
    }
  }

  /**
   * In order, as far as no call has to be repeated. Where one fails nothing more is sent: the others that were on their way
   * may have been stored, so their tasks are answered for themselves.
   * @throws what the first call says where none is known to have stored anything
   */
  async #storeAll(accepted: ReadonlyMap<string, readonly Placed[]>, outcomes: SubmitOutcome[]): Promise<void> {
    const failures: unknown[] = [];
    let stored = 0;
    const unsure: Placed[] = [];
    const send = (shard: string, call: readonly Placed[]) =>
      this.#store(shard, call, outcomes).then(
        () => {
          stored++;
        },
        (error: unknown) => {
          failures.push(error);
          unsure.push(...call);
        },
      );
    const underWay: Promise<void>[] = [];
    for (const [shard, tasks] of accepted) {
      for (const call of calls(tasks, LIMITS.submitPart)) {
        if (underWay.length === PARTS_AT_ONCE) await underWay.shift();
        if (failures.length > 0) unsure.push(...call);
        else underWay.push(send(shard, call));
      }
    }
    await Promise.all(underWay);
    const [error] = failures;
    if (error === undefined) return;
    if (stored === 0 || !(error instanceof QueueError)) throw error;
    for (const { index } of unsure) outcomes[index] = { ok: false, error };
  }

  /** @param queue a shard of the tasks' queue */
  async #store(queue: string, call: readonly Placed[], outcomes: SubmitOutcome[]): Promise<void> {
    const { ids, registry, dependencies } = this.#deps;
    const entries = call.map(({ spec }) => entryOf(spec, ids.next(queue)));
    const taken = await this.#take(queue, entries, call[0]?.spec.durability ?? null).catch(asRefusal);
    if (taken instanceof QueueError) {
      for (const { index } of call) outcomes[index] = { ok: false, error: taken };
      return;
    }
    const { verdicts, fresh, shortfall } = taken;
    if (fresh) await registry.register(queue, { anew: true });
    await dependencies.attach(
      queue,
      entries.filter((entry, index) => entry.dependsOn.length > 0 && isNew(verdicts[index], entry.id)),
    );
    call.forEach(({ index }, position) => {
      const [verdict, entry] = [verdicts[position], entries[position]];
      if (verdict && entry) outcomes[index] = outcomeOf(verdict, entry, shortfall);
    });
  }

  /** Stores tasks, and waits until they are as safe as asked: they name one level, or all take the queue's. */
  async #take(queue: string, entries: readonly SubmitEntry[], asked: Durability | null): Promise<Taken> {
    const expected = asked ?? this.#durabilities.get(logicalQueue(queue)) ?? (await this.#askSettings(queue));
    const taken = await this.#takeAs(queue, entries, expected).catch(asRefusal);
    if (taken instanceof QueueError) {
      if (asked === null && (await this.#askSettings(queue)) !== expected) return this.#take(queue, entries, null);
      throw taken;
    }
    this.#learn(queue, taken);
    const wanted = asked ?? taken.durability;
    if (wanted === expected) return taken;
    // The queue's level has changed meanwhile. The same tasks again: nothing is stored twice.
    const again = await this.#takeAs(queue, entries, wanted).catch(asRefusal);
    return { ...taken, shortfall: again instanceof QueueError ? again.message : again.shortfall };
  }

  async #takeAs(queue: string, entries: readonly SubmitEntry[], level: Durability): Promise<Taken> {
    const { store } = this.#deps;
    if (level === 'memory') return { ...(await store.run(submit, queue, entries)), shortfall: null };
    const { output, shortfall } = await store.runDurably(submit, queue, entries, level);
    return { ...output, shortfall };
  }

  /** Asks Redis, and remembers the answer. @returns the level of durability */
  async #askSettings(queue: string): Promise<Durability> {
    const { store } = this.#deps;
    const [level, shards] = await store.command('read settings', (redis) =>
      redis.hmget(store.keys.meta(queue), 'durability', 'shards'),
    );
    const durability = Durability.safeParse(level).data ?? 'memory';
    this.#learn(queue, { durability, shards: Number(shards ?? 1) });
    return durability;
  }

  #learn(queue: string, { durability, shards }: Pick<SubmitAnswer, 'durability' | 'shards'>): void {
    const name = logicalQueue(queue);
    this.#durabilities.set(name, durability);
    this.#router.learn(name, shards);
  }

  /** Each part is answered for itself, so that one is on its way while another is being worked on. */
  #flush(): void {
    const turn = this.#waiting;
    this.#waiting = [];
    for (let from = 0; from < turn.length; from += TURN_BATCH) this.#send(turn.slice(from, from + TURN_BATCH));
  }

  #send(part: readonly Waiting[]): void {
    this.submitMany(part.map(({ spec }) => spec)).then(
      (outcomes) => {
        part.forEach(({ resolve, reject }, index) => {
          const outcome = outcomes[index];
          if (outcome) resolve(outcome);
          else reject(new QueueError('INTERNAL', 'the submit script gave no answer for this task'));
        });
      },
      (error: unknown) => {
        for (const { reject } of part) reject(error);
      },
    );
  }
}

const newList = (): Placed[] => [];

const isNew = (verdict: SubmitVerdict | undefined, id: string): boolean =>
  verdict?.kind === 'accepted' || (verdict?.kind === 'same' && verdict.id === id);

function* calls<T extends { spec: TaskSpec }>(group: readonly T[], batch: number): Generator<T[]> {
  let call: T[] = [];
  let chars = 0;
  for (const item of group) {
    if (call.length === batch || (call.length > 0 && chars + item.spec.payload.length > CALL_CHARS)) {
      yield call;
      call = [];
      chars = 0;
    }
    call.push(item);
    chars += item.spec.payload.length;
  }
  if (call.length > 0) yield call;
}

/** Of tasks, rather than of the whole call: others of it may ask for less. */
function asRefusal(error: unknown): QueueError {
  if (error instanceof QueueError && error.code === 'NOT_DURABLE') return error;
  throw error;
}

function outcomeOf(verdict: SubmitVerdict, entry: SubmitEntry, shortfall: string | null): SubmitOutcome {
  if (shortfall !== null && (verdict.kind === 'accepted' || verdict.kind === 'same')) {
    const id = verdict.kind === 'same' ? verdict.id : entry.id;
    const message = `task ${id} is stored and will run, but is not as durable as asked: ${shortfall}`;
    return { ok: false, error: new QueueError('NOT_DURABLE', message, { extra: { task_id: id } }) };
  }
  switch (verdict.kind) {
    case 'accepted':
      return { ok: true, id: entry.id, repeated: false };
    case 'same':
      return { ok: true, id: verdict.id, repeated: verdict.id !== entry.id };
    case 'conflict':
      return {
        ok: false,
        error: new QueueError(
          'IDEMPOTENCY_CONFLICT',
          `the idempotency key "${entry.idempotencyKey}" was used with another body, for task ${verdict.id}`,
          { extra: { task_id: verdict.id } },
        ),
      };
    case 'duplicate':
      return {
        ok: false,
        error: new QueueError('DUPLICATE_UNIQUE_KEY', `task ${verdict.id} holds the unique key "${entry.uniqueKey}"`, {
          extra: { task_id: verdict.id },
        }),
      };
    case 'full':
      return { ok: false, error: new QueueError('QUEUE_FULL', `the queue holds as many pending tasks as it may`) };
  }
}

/** One literal: to spread an object takes ten times as long. */
const entryOf = (spec: TaskSpec, id: string): SubmitEntry => ({
  id,
  type: spec.type,
  priority: spec.priority,
  payload: spec.payload,
  name: spec.name,
  maxRetries: spec.maxRetries,
  timeoutMs: spec.timeoutMs,
  backoff: spec.backoff,
  runAt: spec.runAt,
  expiresAt: spec.expiresAt,
  dependsOn: spec.dependsOn,
  tags: spec.tags,
  owner: spec.owner,
  idempotencyKey: spec.idempotencyKey,
  bodyHash: spec.bodyHash,
  uniqueKey: spec.uniqueKey,
});
