/**
 * What the engine offers, as interfaces: the worker, the server and the command line are written against these.
 * Times are Unix ms on the clock of Redis, durations ms with the unit in the name.
 */

import type { QueueError } from '../contract/errors';
import type { FailureGroup } from '../contract/failure';
import type { TaskEvent, TaskStatus } from '../contract/lifecycle';
import type { Durability } from '../contract/primitives';
import type { StatusCounts } from '../contract/queue';
import type { LogLevel, SuggestField, Suggestion, TaskFilter } from '../contract/task';
import type { TaskTypeInfo, Worker } from '../contract/worker';
import type { BackoffSpec } from '../kernel/backoff';
import type {
  AttemptReport,
  CancelOutcome,
  FailureReport,
  LeaseRef,
  QueueLimitsMs,
  RemoveOutcome,
  RequeueOutcome,
  Verdict,
  WorkCall,
} from '../redis/calls';
import type { PendingTypes } from '../redis/scripts/types';
import type { RecordFields } from '../redis/task-record';
import type { GroupFacts } from './failure-reader';

export type {
  AttemptReport,
  CancelOutcome,
  FailureReport,
  LeaseRef,
  QueueLimitsMs,
  RemoveOutcome,
  RequeueOutcome,
  Settle,
  StandbyRequest,
  Verdict,
  WorkCall,
} from '../redis/calls';

/** A task to submit: checked and complete, all defaults applied. */
export interface TaskSpec extends RecordFields {
  queue: string;
  /** Hash of the request; two requests with one idempotency key must have the same. */
  bodyHash: string | null;
  /** Null: the queue's. */
  durability: Durability | null;
}

/** `repeated`: the idempotency key was known, `id` is the first task's and nothing was enqueued. */
export type SubmitOutcome = { ok: true; id: string; repeated: boolean } | { ok: false; error: QueueError };

export interface WorkReply {
  /** In the order of `settles`. */
  verdicts: Verdict[];
  claimed: ClaimedTask[];
  /** Until the next scheduled or retrying task of this queue comes due; null where there is none. */
  nextDueInMs: number | null;
  /** Tasks were left pending because this worker does not run their type: come back later, not at once. */
  skipped: boolean;
  /** The worker stands by: see StandbyRequest. */
  standsBy: boolean;
  /** Tasks that were handed to it while it stood by; it may have heard of them already. */
  handed: ClaimedTask[];
}

/** What has ended a wait for work. */
export interface Awakening {
  /** They may have work. */
  queues: readonly string[];
  /** Claimed for the worker that waited: a submit has handed them over. */
  handed: readonly ClaimedTask[];
}

export interface ClaimedTask {
  id: string;
  token: string;
  /** The physical queue, which calls for this task are for; everybody else is told the logical one. */
  queue: string;
  type: string;
  name: string | null;
  priority: number;
  /** This execution, from 1. */
  attempt: number;
  /** Executions at most. */
  maxAttempts: number;
  timeoutMs: number;
  backoff: BackoffSpec;
  createdAt: number;
  startedAt: number;
  tags: string[];
  owner: string | null;
  /** JSON text. */
  payload: string;
}

export type PatchOutcome = 'patched' | 'running' | 'final' | 'gone';

export interface TaskPatch {
  name?: string | null;
  priority?: number;
  runAt?: number | null;
  payload?: string;
  tags?: readonly string[];
  maxRetries?: number;
}

/** Every change of a task or a queue. Each method is atomic per queue and safe to repeat. */
export interface TaskEngine {
  /** Calls of one event-loop turn travel together. Never rejects for a refused task: see the outcome. */
  submit(spec: TaskSpec): Promise<SubmitOutcome>;
  submitMany(specs: readonly TaskSpec[]): Promise<SubmitOutcome[]>;
  work(call: WorkCall): Promise<WorkReply>;
  /** Keeps leases. @returns ids whose lease is lost, and ids that someone asked to cancel */
  extend(
    queue: string,
    held: readonly LeaseRef[],
    leaseMs: number,
  ): Promise<{ lost: string[]; cancelRequested: string[] }>;
  /** Progress and log lines of running attempts. @returns ids whose lease is lost: nothing was written for them */
  report(queue: string, reports: readonly AttemptReport[]): Promise<string[]>;
  /**
   * Waits until work may have come to some of the queues, at most `maxMs`; returns early on abort. One call at a time
   * per `waiter`, which is the worker's id; the queues may be others each time, those that count most first. Of one queue
   * alone, it hears of tasks that are handed to it.
   * @returns nothing where the time was up
   */
  waitForWork(waiter: string, queues: readonly string[], maxMs: number, signal: AbortSignal): Promise<Awakening>;
  /**
   * Tells of every queue there is, then, until aborted, of each that gets work: new ones at once, and any other within
   * a pass of this process's upkeep. It may tell of one again and again.
   */
  followWork(listener: (queue: string) => void, signal: AbortSignal): Promise<void>;
  /**
   * Tells of every shard that one of these queues has beside itself, then, until aborted, of each that it gets. Work calls
   * and waits are for one shard: a queue is served whole by whoever serves them all.
   */
  followShards(queues: readonly string[], listener: (shard: string) => void, signal: AbortSignal): Promise<void>;

  cancel(ids: readonly string[], reason: string): Promise<CancelOutcome[]>;
  requeue(ids: readonly string[], change?: { payload?: string; priority?: number }): Promise<RequeueOutcome[]>;
  remove(ids: readonly string[]): Promise<RemoveOutcome[]>;
  patch(id: string, patch: TaskPatch): Promise<PatchOutcome>;

  pause(queue: string): Promise<void>;
  resume(queue: string): Promise<void>;
  /** Removes pending and scheduled tasks. @returns how many */
  purge(queue: string): Promise<number>;
  setLimits(queue: string, limits: Partial<QueueLimitsMs>): Promise<void>;

  /** One pass of upkeep of a physical queue: reap, promote, relay dependencies, prune. Any process may call it, at any time. */
  tick(queue: string): Promise<{ reaped: number; promoted: number; unblocked: number; pruned: number }>;
}

export interface StoredError extends FailureReport {
  at: number;
}

/** A task as stored, all parts of it read in one go. */
export interface StoredTask {
  id: string;
  queue: string;
  type: string;
  name: string | null;
  status: TaskStatus;
  priority: number;
  /** JSON text; null where `omitted` names it. */
  payload: string | null;
  result: string | null;
  error: StoredError | null;
  attempts: number;
  maxRetries: number;
  timeoutMs: number;
  backoff: BackoffSpec;
  progress: number;
  progressMessage: string | null;
  runAt: number | null;
  /** When a scheduled or retrying task comes due. */
  dueAt: number | null;
  expiresAt: number | null;
  dependsOn: string[];
  tags: string[];
  owner: string | null;
  idempotencyKey: string | null;
  uniqueKey: string | null;
  createdAt: number;
  startedAt: number | null;
  /** When the execution that began at `startedAt` ended; null while it runs. */
  endedAt: number | null;
  finishedAt: number | null;
  workerId: string | null;
  cancelRequested: boolean;
  omitted: ('payload' | 'result')[];
}

export interface HistoryItem {
  at: number;
  event: TaskEvent;
  attempt: number | null;
  workerId: string | null;
  detail: string | null;
  error: StoredError | null;
  /** Of an attempt that starts or ends: when it started. */
  startedAt: number | null;
  /** Of one that starts: when it could have; null where that is not known. */
  readyAt: number | null;
  /** When it comes due after this. */
  nextRunAt: number | null;
}

/** Times of the filter already in Unix ms. */
export interface ReadFilter
  extends Omit<TaskFilter, 'since' | 'until' | 'status' | 'queue' | 'task_type' | 'priority' | 'payload'> {
  status?: readonly TaskStatus[];
  queue?: string | readonly string[];
  /** Each a type, or the beginning of types and `*`. */
  task_type?: string | readonly string[];
  priority?: number | readonly number[];
  /** `path:value` */
  payload?: readonly string[];
  since?: number;
  until?: number;
}

export interface ReadPage {
  tasks: StoredTask[];
  nextCursor: string | null;
  total: number;
  totalExact: boolean;
  /** Set where no index serves the whole filter. */
  scanned: number | null;
}

export interface QueueState {
  name: string;
  paused: boolean;
  counts: StatusCounts;
  oldestPendingAt: number | null;
  limits: QueueLimitsMs;
  /** Unix ms of the answer. */
  now: number;
}

export interface ErrorGroup {
  fingerprint: string;
  error: string;
  type: string;
  queues: string[];
  count: number;
  firstAt: number;
  lastAt: number;
  sampleIds: string[];
}

/** Why a waiting task waits, as the engine knows it; the server adds what it knows of workers. */
export interface WaitFacts {
  task: StoredTask;
  queue: QueueState;
  /** Pending tasks that run before it; null unless it is pending. */
  position: number | null;
  /** When the rate limit lets the next one start; null where it does not hold. */
  rateLimitedUntil: number | null;
  /** Unfinished tasks it depends on. */
  waitsFor: string[];
}

/** Everything that only reads. Costs what it returns, also at a million tasks. */
export interface TaskReader {
  queueNames(): Promise<string[]>;
  /** In the order of `ids`, null for those that are not there. */
  getTasks(ids: readonly string[], options?: { full?: boolean }): Promise<(StoredTask | null)[]>;
  /** Newest first: by creation, or, where only a status is asked for, by when they entered it. */
  listTasks(filter: ReadFilter, page: { limit: number; cursor: string | null }): Promise<ReadPage>;
  /** Ids only, for operations: up to `limit`, in the same order. */
  listIds(filter: ReadFilter, limit: number): Promise<string[]>;
  history(id: string): Promise<HistoryItem[] | null>;
  logs(id: string): Promise<{ at: number; level: LogLevel; message: string; attempt: number }[] | null>;
  waitFacts(id: string): Promise<WaitFacts | null>;
  /** @returns null for a queue that nobody has ever used */
  queueState(queue: string): Promise<QueueState | null>;
  queueStates(): Promise<QueueState[]>;
  /** Which types wait in a queue, from a bounded sample. */
  pendingTypes(queue: string): Promise<PendingTypes>;
  errorGroups(): Promise<ErrorGroup[]>;
  /** How many there are. */
  errorGroupCount(): Promise<number>;
  /** The same with what makes them recognisable; largest first. */
  failureGroups(): Promise<FailureGroup[]>;
  /** @returns null where the dead-letter queue has no such failure */
  failureGroup(fingerprint: string): Promise<GroupFacts | null>;
  /** Values that a filter may take. Workers are known to the directory. */
  suggest(field: Exclude<SuggestField, 'worker'>, prefix: string): Promise<Suggestion[]>;
  /** Types ever seen. */
  taskTypes(): Promise<string[]>;
}

/** What a worker tells of itself. It is forgotten when it has been silent for `WORKER_TTL_MS`. */
export type WorkerBeat = Omit<Worker, 'last_heartbeat_at'>;
export type WorkerCommand = 'quiet' | 'stop';
export type AnnouncedType = Pick<TaskTypeInfo, 'task_type' | 'description' | 'payload_schema' | 'timeout'>;

export interface WorkerDirectory {
  /** Registers or refreshes, and unparks tasks of its types. @returns commands given since the last beat */
  beat(worker: WorkerBeat): Promise<WorkerCommand[]>;
  announceTypes(types: readonly AnnouncedType[]): Promise<void>;
  /** Removes it at once. */
  goodbye(worker: Pick<WorkerBeat, 'id' | 'queues'>): Promise<void>;
  list(): Promise<Worker[]>;
  /** @returns false where no live worker has this id */
  command(workerId: string, command: WorkerCommand): Promise<boolean>;
  announcedTypes(): Promise<AnnouncedType[]>;
}

/** One transition, as the event stream tells it. */
export interface TaskChange {
  queue: string;
  at: number;
  event: TaskEvent;
  id: string;
  type: string;
  status: TaskStatus;
  priority?: number;
  attempts?: number;
  /** Told where it is set or changed. */
  maxRetries?: number;
  startedAt?: number;
  dueAt?: number | null;
  workerId?: string | null;
  error?: { name: string; fingerprint: string };
  progress?: number;
  progressMessage?: string | null;
}

/** `gap`: events were lost to this reader (trimmed, or the store was reset): take a new snapshot. */
export type FeedItem = { kind: 'changes'; changes: TaskChange[] } | { kind: 'gap'; queue: string; reason: string };

export interface EventFeed {
  /**
   * Follows every queue, new ones included, until aborted. Survives lost connections.
   * `ready` is called (at least once) when nothing that happens from then on can be missed.
   */
  follow(listener: (item: FeedItem) => void, signal: AbortSignal, ready?: () => void): Promise<void>;
}
