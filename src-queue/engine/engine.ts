/** The verbs: every change of a task or a queue, over scripts that are atomic per queue and safe to repeat. */
import { createHash } from 'node:crypto';
import { BATCH_TYPE, batchTag } from '../contract/batch';
import { QueueError } from '../contract/errors';
import { LIMITS } from '../contract/limits';
import type { Clock } from '../kernel/clock';
import { escapeText } from '../kernel/escape';
import type { IdFactory } from '../kernel/ids';
import { type CancelAnswer, cancel } from '../redis/scripts/cancel';
import { extend } from '../redis/scripts/extend';
import { page } from '../redis/scripts/page';
import { patch } from '../redis/scripts/patch';
import { prune, type Retention } from '../redis/scripts/prune';
import { read } from '../redis/scripts/read';
import { remove } from '../redis/scripts/remove';
import { type Repairs, repair } from '../redis/scripts/repair';
import { report } from '../redis/scripts/report';
import { nameKey } from '../redis/scripts/submit';
import { tick } from '../redis/scripts/tick';
import { type ClaimedRecord, work } from '../redis/scripts/work';
import type { RedisStore } from '../redis/store';
import { decodeRecord, encodeSpec, recordFlags } from '../redis/task-record';
import { claimedTask } from './claimed-task';
import { Dependencies } from './dependencies';
import { overQueues } from './over-queues';
import type {
  AttemptReport,
  Awakening,
  CancelOutcome,
  LeaseRef,
  PatchOutcome,
  QueueLimitsMs,
  RemoveOutcome,
  RequeueOutcome,
  SubmitOutcome,
  TaskEngine,
  TaskPatch,
  TaskSpec,
  WorkCall,
  WorkReply,
} from './ports';
import type { QueueRegistry } from './queue-registry';
import { QueueSettings } from './queue-settings';
import { Requeuer } from './requeuer';
import { followShards } from './shard-watch';
import { Submitter } from './submitter';
import { WakeWaiter } from './wake-waiter';
import type { WorkNews } from './work-news';

export interface EngineDeps {
  store: RedisStore;
  registry: QueueRegistry;
  news: WorkNews;
  ids: IdFactory;
  clock: Clock;
  retention: Retention;
}

const LOST = {
  name: 'LeaseLostError',
  message: 'the worker stopped answering: it died, was frozen, or lost its way to Redis',
  fingerprint: '1ea5e105',
};
const EXPIRED = {
  name: 'ExpiredError',
  message: 'expires_at passed before the task was started',
  fingerprint: 'e8b17ed0',
};
const asError = ({ name, message, fingerprint }: typeof LOST) => ({
  fingerprint,
  body: JSON.stringify({ name, message, stack: null, fingerprint, progress: 0 }),
});
/** Blocked tasks whose submitter died half way are looked for so often. */
const REPAIR_EVERY_MS = 5000;
/** The look for damage: a page a second, and a rest after each pass; both of all processes together. */
const LOOK_EVERY_MS = 1000;
const LOOK_REST_MS = 10_000;
/** What retention may take of a pass: other queues wait meanwhile. */
const PRUNE_MS = 200;
const NO_REPAIRS: Repairs = { removed: 0, placed: 0, leased: 0, keys: 0 };
/** Attempts to patch a record that others change at the same time. */
const PATCH_TRIES = 5;

export class Engine implements TaskEngine {
  readonly #deps: EngineDeps;
  readonly #dependencies: Dependencies;
  readonly #submitter: Submitter;
  readonly #requeuer: Requeuer;
  readonly #settings: QueueSettings;
  readonly #waiters = new Map<string, WakeWaiter>();
  readonly #repairedAt = new Map<string, number>();

  constructor(deps: EngineDeps) {
    this.#deps = deps;
    this.#dependencies = new Dependencies(deps.store, deps.registry);
    this.#submitter = new Submitter({ ...deps, dependencies: this.#dependencies });
    this.#requeuer = new Requeuer(deps);
    this.#settings = new QueueSettings(deps);
  }

  submit(spec: TaskSpec): Promise<SubmitOutcome> {
    return this.#submitter.submit(spec);
  }

  submitMany(specs: readonly TaskSpec[]): Promise<SubmitOutcome[]> {
    return this.#submitter.submitMany(specs);
  }

  async work(call: WorkCall): Promise<WorkReply> {
    if (call.settles.length > LIMITS.workBatch || call.want > LIMITS.workBatch) {
      throw new QueueError('BAD_REQUEST', `a work call carries at most ${LIMITS.workBatch} settles and claims`);
    }
    const answer = await this.#deps.store.run(work, call.queue, call);
    const { verdicts, nextDueInMs, skipped, standsBy, now } = answer;
    const taskOf = (one: ClaimedRecord) => claimedTask(call.queue, one, now);
    return {
      verdicts,
      claimed: answer.claimed.map(taskOf),
      nextDueInMs,
      skipped,
      standsBy,
      handed: answer.handed.map(taskOf),
    };
  }

  extend(
    queue: string,
    held: readonly LeaseRef[],
    leaseMs: number,
  ): Promise<{ lost: string[]; cancelRequested: string[] }> {
    return this.#deps.store.run(extend, queue, { held, leaseMs });
  }

  report(queue: string, reports: readonly AttemptReport[]): Promise<string[]> {
    return this.#deps.store.run(report, queue, reports);
  }

  waitForWork(waiter: string, queues: readonly string[], maxMs: number, signal: AbortSignal): Promise<Awakening> {
    let waiting = this.#waiters.get(waiter);
    if (!waiting) {
      waiting = new WakeWaiter(this.#deps.store, this.#deps.clock, waiter);
      this.#waiters.set(waiter, waiting);
    }
    return waiting.wait(queues, maxMs, signal);
  }

  followWork(listener: (queue: string) => void, signal: AbortSignal): Promise<void> {
    return this.#deps.news.follow(listener, signal);
  }

  followShards(queues: readonly string[], listener: (shard: string) => void, signal: AbortSignal): Promise<void> {
    return followShards(this.#deps, queues, listener, signal);
  }

  cancel(ids: readonly string[], reason: string): Promise<CancelOutcome[]> {
    return this.#cancel(ids, reason, new Set());
  }

  /** @param batches whose tasks have been seen to: tags are free text, and may lead in a circle */
  async #cancel(ids: readonly string[], reason: string, batches: Set<string>): Promise<CancelOutcome[]> {
    const missing: CancelAnswer = { outcome: 'gone', hasChildren: false };
    const input = (chunk: readonly string[]) => ({ ids: chunk, reason, parentTypes: [BATCH_TYPE] });
    const answers = await overQueues(this.#deps, ids, cancel, input, missing);
    // A batch that sleeps has no handler at work which could end its tasks; one at work may fall asleep before it hears.
    for (const [index, id] of ids.entries()) {
      if (!answers[index]?.hasChildren || batches.has(id)) continue;
      batches.add(id);
      await this.#cancel(await this.#tasksOfBatch(id), `its batch ${id} was cancelled`, batches);
    }
    return answers.map(({ outcome }) => outcome);
  }

  async #tasksOfBatch(id: string): Promise<string[]> {
    const { store, registry } = this.#deps;
    const queues = await registry.physicalNames();
    const found = await store.command('list tasks of a batch', (redis) =>
      Promise.all(queues.map((queue) => redis.zrange(store.keys.tagged(queue, batchTag(id)), '0', '-1'))),
    );
    return found.flat();
  }

  requeue(ids: readonly string[], change: { payload?: string; priority?: number } = {}): Promise<RequeueOutcome[]> {
    return this.#requeuer.requeue(ids, change);
  }

  remove(ids: readonly string[]): Promise<RemoveOutcome[]> {
    return overQueues(this.#deps, ids, remove, (chunk) => chunk, 'gone');
  }

  /** Read, change, write where nobody else has written: the record is one string that is replaced whole. */
  async patch(id: string, change: TaskPatch): Promise<PatchOutcome> {
    const [queue] = (await this.#deps.registry.locate([id])).keys();
    if (queue === undefined) return 'gone';
    for (let tries = 0; tries < PATCH_TRIES; tries++) {
      const [raw] = await this.#deps.store.run(read, queue, { ids: [id], previewBytes: 0 });
      if (!raw || raw.record === '') return 'gone';
      const old = decodeRecord(raw.record);
      const maxRetries = change.maxRetries ?? old.maxRetries;
      const tags = change.tags ?? old.tags;
      const next = {
        ...old,
        maxRetries,
        tags,
        name: change.name === undefined ? old.name : change.name,
        priority: change.priority ?? old.priority,
        payload: change.payload ?? old.payload,
        runAt: change.runAt === undefined ? old.runAt : change.runAt,
      };
      const outcome = await this.#deps.store.run(patch, queue, {
        id,
        readHash: createHash('sha1').update(raw.record).digest('hex'),
        spec: encodeSpec(next, {
          maxAttempts: old.maxAttempts + maxRetries - old.maxRetries,
          flags: recordFlags(raw.record),
        }),
        dueAt: change.runAt === undefined ? null : (change.runAt ?? 0),
        tagsRemoved: old.tags
          .filter((tag) => !tags.includes(tag))
          .map(escapeText)
          .join(';'),
        tagsAdded: tags
          .filter((tag) => !old.tags.includes(tag))
          .map(escapeText)
          .join(';'),
        oldName: next.name === old.name || old.name === null ? '' : `${nameKey(old.name)}|`,
        newName: next.name === old.name || next.name === null ? '' : `${nameKey(next.name)}|`,
      });
      if (outcome !== 'stale') return outcome;
    }
    throw new QueueError('CONFLICT', `task ${id} is being changed by others at the same time: try again`);
  }

  pause(queue: string): Promise<void> {
    return this.#settings.pause(queue);
  }

  resume(queue: string): Promise<void> {
    return this.#settings.resume(queue);
  }

  setLimits(queue: string, limits: Partial<QueueLimitsMs>): Promise<void> {
    return this.#settings.setLimits(queue, limits);
  }

  async purge(queue: string): Promise<number> {
    let purged = 0;
    for (const shard of await this.#deps.registry.shardsOf(queue)) purged += await this.#purgeShard(shard);
    return purged;
  }

  async #purgeShard(shard: string): Promise<number> {
    let purged = 0;
    for (const set of ['pending', 'parked', 'scheduled'] as const) {
      for (;;) {
        const { members } = await this.#deps.store.run(page, shard, {
          kind: 'up',
          set,
          from: '',
          to: '',
          limit: LIMITS.sweepBatch,
          previewBytes: -1,
        });
        if (members.length === 0) break;
        const ids = members.map(({ member }) => member);
        const outcomes = await this.#deps.store.run(remove, shard, ids);
        purged += outcomes.filter((outcome) => outcome === 'removed').length;
      }
    }
    return purged;
  }

  /** @param queue a physical one */
  async tick(queue: string): Promise<{
    reaped: number;
    promoted: number;
    unblocked: number;
    pruned: number;
    capMs: number;
    nextLeaseInMs: number | null;
    repairs: Repairs;
  }> {
    const { store, news } = this.#deps;
    const answer = await store.run(tick, queue, {
      limit: LIMITS.sweepBatch,
      lost: asError(LOST),
      expired: asError(EXPIRED),
    });
    if (answer.ready > 0) news.mention(queue);
    const unblocked = answer.outbox > 0 ? await this.#dependencies.relay(queue) : 0;
    if (answer.blocked > 0 && this.#repairIsDue(queue)) await this.#dependencies.repair(queue);
    const pruned = await this.#prune(queue);
    const look = { limit: LIMITS.sweepBatch, everyMs: LOOK_EVERY_MS, restMs: LOOK_REST_MS };
    const repairs = answer.repairDue ? await store.run(repair, queue, look) : NO_REPAIRS;
    const { reaped, promoted, capMs, nextLeaseInMs } = answer;
    return { reaped, promoted, unblocked, pruned, capMs, nextLeaseInMs, repairs };
  }

  /** What ends faster than one call a pass removes must not pile up. @returns how many were removed */
  async #prune(queue: string): Promise<number> {
    const { store, retention, clock } = this.#deps;
    const until = clock.monotonic() + PRUNE_MS;
    for (let pruned = 0; ; ) {
      const removed = await store.run(prune, queue, { limit: LIMITS.sweepBatch, retention });
      pruned += removed;
      if (removed < LIMITS.sweepBatch || clock.monotonic() >= until) return pruned;
    }
  }

  #repairIsDue(queue: string): boolean {
    const now = this.#deps.clock.monotonic();
    if (now - (this.#repairedAt.get(queue) ?? -REPAIR_EVERY_MS) < REPAIR_EVERY_MS) return false;
    this.#repairedAt.set(queue, now);
    return true;
  }

  /** Ends the waits of idle workers. The store is closed by its owner. */
  close(): void {
    for (const waiter of this.#waiters.values()) waiter.close();
    this.#waiters.clear();
  }
}
