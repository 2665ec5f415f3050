/**
 * Bulk work on a selection of tasks, as it is asked for and looked at. The selection is a snapshot of ids, kept in
 * Redis; `operation-carrier` does the work.
 */
import { QueueError } from '../contract/errors';
import { LIMITS } from '../contract/limits';
import type { DryRun, Operation, OperationAction } from '../contract/operation';
import { isoTime } from '../contract/primitives';
import type { TaskFilter } from '../contract/task';
import type { Clock } from '../kernel/clock';
import { randomName } from '../kernel/ids';
import type { OperationStore } from './operation-store';
import type { ReadFilter, TaskReader } from './ports';
import { toTask } from './task-view';

/** Which tasks, and what to do with them. Either `ids` or `filter` is null. */
export interface OperationRequest {
  action: OperationAction;
  ids: readonly string[] | null;
  filter: TaskFilter | null;
  limit: number | null;
  /** Tasks a second. */
  rate: number | null;
  /** For reprioritise. */
  priority: number | null;
  /** Refuses with COUNT_CHANGED where the selection differs by more than 10 %. */
  expectedCount: number | null;
  /** Who asked. */
  by: string;
}

export interface OperationsDeps {
  store: OperationStore;
  reader: TaskReader;
  clock: Clock;
  /** An operation may have become ready to be carried out, here. */
  changed: () => void;
}

const SAMPLES = 20;
const ALLOWED_DRIFT = 0.1;

export class Operations {
  readonly #deps: OperationsDeps;

  constructor(deps: OperationsDeps) {
    this.#deps = deps;
  }

  /** What `start` would do; changes nothing. @throws {QueueError} COUNT_CHANGED */
  async plan(request: OperationRequest): Promise<DryRun> {
    const ids = await this.#select(request);
    const [queues, types, errors] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
    const count = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
    const samples: DryRun['samples'] = [];
    let matched = 0;
    for (let from = 0; from < ids.length; from += LIMITS.operationChunk) {
      const chunk = ids.slice(from, from + LIMITS.operationChunk);
      for (const task of await this.#deps.reader.getTasks(chunk, { full: false })) {
        if (!task) continue;
        matched++;
        count(queues, task.queue);
        count(types, task.type);
        if (task.error) count(errors, `${task.error.name}: ${task.error.message.slice(0, 120)}`);
        if (samples.length < SAMPLES) samples.push(toTask(task, { inList: true }));
      }
    }
    return {
      matched,
      by_queue: Object.fromEntries(queues),
      by_task_type: Object.fromEntries(types),
      by_error: Object.fromEntries(errors),
      samples,
    };
  }

  /** Takes the snapshot of ids and begins. @throws {QueueError} COUNT_CHANGED */
  async start(request: OperationRequest): Promise<Operation> {
    const ids = await this.#select(request);
    const operation: Operation = {
      id: randomName('op'),
      action: request.action,
      filter: request.filter,
      state: 'running',
      matched: ids.length,
      done: 0,
      skipped: 0,
      failed: 0,
      rate: request.rate,
      priority: request.priority,
      started_at: isoTime(this.#deps.clock.now()),
      finished_at: null,
      by: request.by,
      message: null,
      eta_seconds: request.rate === null ? null : ids.length / request.rate,
      recent: [],
    };
    await this.#deps.store.create(operation, ids);
    this.#deps.changed();
    return operation;
  }

  list(): Promise<Operation[]> {
    return this.#deps.store.list();
  }

  /** Those that have not ended, newest first. */
  active(): Promise<Operation[]> {
    return this.#deps.store.active();
  }

  get(id: string): Promise<Operation | null> {
    return this.#deps.store.get(id);
  }

  pause(id: string): Promise<Operation | null> {
    return this.#change(id, ['running', 'canary', 'planned'], 'paused');
  }

  resume(id: string): Promise<Operation | null> {
    return this.#change(id, ['paused'], 'running');
  }

  abort(id: string): Promise<Operation | null> {
    return this.#change(id, ['running', 'canary', 'planned', 'paused'], 'aborted');
  }

  async #change(id: string, from: readonly Operation['state'][], to: Operation['state']): Promise<Operation | null> {
    const operation = await this.#deps.store.get(id);
    if (!operation) return null;
    if (!from.includes(operation.state)) {
      throw new QueueError('CONFLICT', `operation ${id} is ${operation.state}: it cannot become ${to}`);
    }
    const end = to === 'aborted' ? { at: isoTime(this.#deps.clock.now()), message: 'aborted by an operator' } : null;
    await this.#deps.store.setState(id, to, end);
    this.#deps.changed();
    return this.#deps.store.get(id);
  }

  async #select(request: OperationRequest): Promise<readonly string[]> {
    const limit = request.limit ?? LIMITS.operationIds;
    const ids = request.ids
      ? [...new Set(request.ids)].slice(0, limit)
      : await this.#deps.reader.listIds(selectionFilter(request.filter ?? {}), limit);
    const { expectedCount } = request;
    if (expectedCount !== null && Math.abs(ids.length - expectedCount) > expectedCount * ALLOWED_DRIFT) {
      throw new QueueError(
        'COUNT_CHANGED',
        `the selection holds ${ids.length} tasks, not about ${expectedCount}: look at it again`,
        {
          extra: { matched: ids.length, expected_count: expectedCount },
        },
      );
    }
    return ids;
  }
}

/** What is to be changed by its error is in the dead-letter queue, unless another status was asked for. */
const selectionFilter = (filter: TaskFilter): ReadFilter =>
  readFilter(filter.error !== undefined && filter.status === undefined ? { ...filter, status: 'failed' } : filter);

/** A filter of the wire with its times in Unix ms. */
export function readFilter({
  status,
  since,
  until,
  queue,
  task_type,
  priority,
  payload,
  ...rest
}: TaskFilter): ReadFilter {
  return {
    ...rest,
    ...(status === undefined ? {} : { status: Array.isArray(status) ? status : [status] }),
    ...(queue === undefined ? {} : { queue }),
    ...(task_type === undefined ? {} : { task_type }),
    ...(priority === undefined ? {} : { priority }),
    ...(payload === undefined ? {} : { payload }),
    ...(since === undefined ? {} : { since: Date.parse(since) }),
    ...(until === undefined ? {} : { until: Date.parse(until) }),
  };
}
