/**
 * A queue in memory with the outcomes of the real engine, for tests of what stands before it: everything that the
 * server calls. Claims and leases are not here; a test says what state a task is in with `put`.
 */
import { QueueError } from '#queue/contract/errors';
import { isFinal, TASK_STATUSES, type TaskStatus } from '#queue/contract/lifecycle';
import { isoTime } from '#queue/contract/primitives';
import type {
  CancelOutcome,
  ErrorGroup,
  HistoryItem,
  PatchOutcome,
  QueueLimitsMs,
  QueueState,
  ReadFilter,
  ReadPage,
  RemoveOutcome,
  RequeueOutcome,
  StoredTask,
  SubmitOutcome,
  TaskEngine,
  TaskPatch,
  TaskReader,
  TaskSpec,
} from '#queue/engine/ports';
import { matches } from '#queue/engine/task-match';
import { systemClock } from '#queue/kernel/clock';
import { IdFactory } from '#queue/kernel/ids';

const NO_LIMITS: QueueLimitsMs = {
  concurrency: null,
  rate: null,
  targetAgeMs: null,
  agingMs: null,
  durability: null,
  shards: 1,
};

interface QueueSettings {
  paused: boolean;
  limits: QueueLimitsMs;
}

type ServedEngine = Pick<
  TaskEngine,
  'submit' | 'submitMany' | 'cancel' | 'requeue' | 'remove' | 'patch' | 'pause' | 'resume' | 'purge' | 'setLimits'
>;

export class MemoryQueue implements ServedEngine, TaskReader {
  readonly tasks = new Map<string, StoredTask>();
  /** Sizes of the batches that came to `submitMany`. */
  readonly batches: number[] = [];
  readonly #ids = new IdFactory(systemClock);
  readonly #queues = new Map<string, QueueSettings>();
  readonly #idempotent = new Map<string, { id: string; bodyHash: string | null }>();

  /** Puts a task into any state, past all rules. */
  put(change: Partial<StoredTask> = {}): StoredTask {
    const queue = change.queue ?? 'default';
    const task: StoredTask = { ...blank(this.#ids.next(queue), queue), ...change };
    this.tasks.set(task.id, task);
    this.#queue(queue);
    return task;
  }

  async submit(spec: TaskSpec): Promise<SubmitOutcome> {
    if (spec.idempotencyKey !== null) {
      const first = this.#idempotent.get(spec.idempotencyKey);
      if (first !== undefined && first.bodyHash === spec.bodyHash) return { ok: true, id: first.id, repeated: true };
      if (first !== undefined) return refused('IDEMPOTENCY_CONFLICT', first.id);
    }
    const holder = spec.uniqueKey === null ? undefined : this.#liveHolder(spec.uniqueKey);
    if (holder !== undefined) return refused('DUPLICATE_UNIQUE_KEY', holder.id);
    const { bodyHash, dependsOn, tags, ...same } = spec;
    const scheduled = (spec.runAt ?? 0) > systemClock.now();
    const status = spec.dependsOn.length > 0 ? 'blocked' : scheduled ? 'scheduled' : 'pending';
    const task = this.put({ ...same, status, dependsOn: [...dependsOn], tags: [...tags] });
    if (spec.idempotencyKey !== null) this.#idempotent.set(spec.idempotencyKey, { id: task.id, bodyHash });
    return { ok: true, id: task.id, repeated: false };
  }

  submitMany(specs: readonly TaskSpec[]): Promise<SubmitOutcome[]> {
    this.batches.push(specs.length);
    return Promise.all(specs.map((spec) => this.submit(spec)));
  }

  async cancel(ids: readonly string[]): Promise<CancelOutcome[]> {
    return ids.map((id) => {
      const task = this.tasks.get(id);
      if (task === undefined) return 'gone';
      if (isFinal(task.status)) return 'final';
      if (task.status === 'processing') {
        task.cancelRequested = true;
        return 'asked';
      }
      task.status = 'cancelled';
      return 'cancelled';
    });
  }

  async requeue(
    ids: readonly string[],
    change: { payload?: string; priority?: number } = {},
  ): Promise<RequeueOutcome[]> {
    return ids.map((id) => {
      const task = this.tasks.get(id);
      if (task === undefined) return 'gone';
      if (task.status !== 'failed' && task.status !== 'cancelled') return 'not_final';
      Object.assign(task, { status: 'pending', ...change });
      return 'requeued';
    });
  }

  async remove(ids: readonly string[]): Promise<RemoveOutcome[]> {
    return ids.map((id) => {
      if (this.tasks.get(id)?.status === 'processing') return 'running';
      return this.tasks.delete(id) ? 'removed' : 'gone';
    });
  }

  async patch(id: string, patch: TaskPatch): Promise<PatchOutcome> {
    const task = this.tasks.get(id);
    if (task === undefined) return 'gone';
    if (task.status === 'processing') return 'running';
    if (isFinal(task.status)) return 'final';
    Object.assign(task, patch);
    return 'patched';
  }

  async pause(queue: string): Promise<void> {
    this.#queue(queue).paused = true;
  }

  async resume(queue: string): Promise<void> {
    this.#queue(queue).paused = false;
  }

  async purge(queue: string): Promise<number> {
    const waiting = [...this.tasks.values()].filter(
      (task) => task.queue === queue && (task.status === 'pending' || task.status === 'scheduled'),
    );
    for (const { id } of waiting) this.tasks.delete(id);
    return waiting.length;
  }

  async setLimits(queue: string, limits: Partial<QueueLimitsMs>): Promise<void> {
    Object.assign(this.#queue(queue).limits, limits);
  }

  async queueNames(): Promise<string[]> {
    return [...this.#queues.keys()];
  }

  async getTasks(ids: readonly string[]): Promise<(StoredTask | null)[]> {
    return ids.map((id) => this.tasks.get(id) ?? null);
  }

  /** The cursor is the id of the last task of the page before. */
  async listTasks(filter: ReadFilter, { limit, cursor }: { limit: number; cursor: string | null }): Promise<ReadPage> {
    const all = this.#matching(filter);
    const rest = cursor === null ? all : all.filter((task) => task.id < cursor);
    const tasks = rest.slice(0, limit);
    const nextCursor = rest.length > limit ? (tasks.at(-1)?.id ?? null) : null;
    return {
      tasks,
      nextCursor,
      total: all.length,
      totalExact: true,
      scanned: filter.q === undefined ? null : all.length,
    };
  }

  async listIds(filter: ReadFilter, limit: number): Promise<string[]> {
    return this.#matching(filter)
      .slice(0, limit)
      .map(({ id }) => id);
  }

  async history(id: string): Promise<HistoryItem[] | null> {
    const task = this.tasks.get(id);
    if (task === undefined) return null;
    const nothing = { attempt: null, workerId: null, detail: null, error: null, startedAt: null, readyAt: null };
    return [{ ...nothing, at: task.createdAt, event: 'created', nextRunAt: task.runAt }];
  }

  async logs(id: string) {
    return this.tasks.has(id) ? [{ at: 1000, level: 'info' as const, message: 'hello', attempt: 1 }] : null;
  }

  async waitFacts(id: string) {
    const task = this.tasks.get(id);
    if (task === undefined) return null;
    const queue = await this.queueState(task.queue);
    if (queue === null) return null;
    return {
      task,
      queue,
      position: task.status === 'pending' ? 0 : null,
      rateLimitedUntil: null,
      waitsFor: task.dependsOn,
    };
  }

  async queueState(name: string): Promise<QueueState | null> {
    const settings = this.#queues.get(name);
    if (settings === undefined) return null;
    const of = [...this.tasks.values()].filter((task) => task.queue === name);
    const count = (status: TaskStatus): [TaskStatus, number] => [
      status,
      of.filter((task) => task.status === status).length,
    ];
    const pendingAt = of.filter(({ status }) => status === 'pending').map(({ createdAt }) => createdAt);
    return {
      name,
      ...settings,
      counts: Object.fromEntries(TASK_STATUSES.map(count)) as QueueState['counts'],
      oldestPendingAt: pendingAt.length === 0 ? null : Math.min(...pendingAt),
      now: systemClock.now(),
    };
  }

  async queueStates(): Promise<QueueState[]> {
    const states = await Promise.all([...this.#queues.keys()].map((name) => this.queueState(name)));
    return states.filter((state) => state !== null);
  }

  async pendingTypes(queue: string) {
    const pending = [...this.tasks.values()].filter((task) => task.queue === queue && task.status === 'pending');
    const byType = new Map<string, number>();
    for (const { type } of pending) byType.set(type, (byType.get(type) ?? 0) + 1);
    return { total: pending.length, sampled: pending.length, byType };
  }

  async errorGroups() {
    const failed = this.#matching({ status: ['failed'] });
    if (failed.length === 0) return [];
    const times = failed.map(({ createdAt }) => createdAt);
    return [
      {
        fingerprint: 'aa11',
        error: 'TypeError: x',
        type: 'email',
        queues: ['default'],
        count: failed.length,
        firstAt: Math.min(...times),
        lastAt: Math.max(...times),
        sampleIds: failed.slice(0, 5).map(({ id }) => id),
      },
    ];
  }

  async errorGroupCount() {
    return (await this.errorGroups()).length;
  }

  async failureGroups() {
    return (await this.errorGroups()).map((group) => ({ ...groupOf(group), series_24h: null, sampled: 0 }));
  }

  async failureGroup(fingerprint: string) {
    const group = (await this.errorGroups()).find((candidate) => candidate.fingerprint === fingerprint);
    if (group === undefined) return null;
    const steps = { from: isoTime(group.lastAt), step: 60, counts: [group.count] };
    return {
      ...groupOf(group),
      series: { minutes: steps, hours: steps, sampled: group.count },
      compared: 1,
      workers: [
        { worker_id: 'w-1', count: 2 },
        { worker_id: 'gone', count: 1 },
      ],
      attempts: [{ attempts: 1, most: 4, count: group.count }],
      stack: [],
      stacks_equal: 0,
      payload: [],
      payloads: 0,
      last_success: null,
    };
  }

  async suggest(field: string, prefix: string) {
    const types = field === 'type' ? await this.taskTypes() : [];
    return types.filter((type) => type.startsWith(prefix)).map((value) => ({ value, label: null, count: 1 }));
  }

  async taskTypes(): Promise<string[]> {
    return [...new Set([...this.tasks.values()].map(({ type }) => type))];
  }

  #liveHolder(uniqueKey: string): StoredTask | undefined {
    return [...this.tasks.values()].find((task) => task.uniqueKey === uniqueKey && !isFinal(task.status));
  }

  #queue(name: string): QueueSettings {
    const settings = this.#queues.get(name) ?? { paused: false, limits: { ...NO_LIMITS } };
    this.#queues.set(name, settings);
    return settings;
  }

  #matching(filter: ReadFilter): StoredTask[] {
    return [...this.tasks.values()]
      .filter((task) => matches(task, filter, systemClock.now()))
      .sort((a, b) => (a.id < b.id ? 1 : -1));
  }
}

const groupOf = ({ type, firstAt, lastAt, sampleIds, ...same }: ErrorGroup) => ({
  ...same,
  message: 'x',
  top_frame: null,
  task_type: type,
  first_at: isoTime(firstAt),
  last_at: isoTime(lastAt),
  sample_ids: sampleIds,
});

function refused(code: 'IDEMPOTENCY_CONFLICT' | 'DUPLICATE_UNIQUE_KEY', id: string): SubmitOutcome {
  return { ok: false, error: new QueueError(code, `task ${id} holds it`, { extra: { id } }) };
}

function blank(id: string, queue: string): StoredTask {
  return {
    id,
    queue,
    type: 'email',
    name: null,
    status: 'pending',
    priority: 5,
    payload: '{}',
    result: null,
    error: null,
    attempts: 0,
    maxRetries: 3,
    timeoutMs: 300_000,
    backoff: { type: 'exponential', baseMs: 1000, maxMs: 300_000, jitter: 0.2 },
    progress: 0,
    progressMessage: null,
    runAt: null,
    dueAt: null,
    expiresAt: null,
    dependsOn: [],
    tags: [],
    owner: null,
    idempotencyKey: null,
    uniqueKey: null,
    createdAt: systemClock.now(),
    startedAt: null,
    endedAt: null,
    finishedAt: null,
    workerId: null,
    cancelRequested: false,
    omitted: [],
  };
}
