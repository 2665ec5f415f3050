/**
 * The REST API, typed by the contract: what goes out is typed, what comes in is parsed. Fails only with ApiError
 * (and the caller's own abort). Knows the address and where the token comes from, and nothing of state.
 */
import type { Method } from '#queue/contract/http';
import { fleetRoutes } from '#queue/contract/http-fleet';
import { dlqRoutes, operationRoutes, queueRoutes } from '#queue/contract/http-queues';
import { taskRoutes } from '#queue/contract/http-tasks';
import type { DryRun, Operation } from '#queue/contract/operation';
import type { Queue, StatsOverview } from '#queue/contract/queue';
import type {
  Explanation,
  HistoryEntry,
  LogLine,
  SubmitTaskInput,
  Task,
  TaskFilter,
  TaskPage,
} from '#queue/contract/task';
import type { TaskTypeInfo, Worker } from '#queue/contract/worker';
import { ApiError, problemError } from './api-error';

export interface ApiClientDeps {
  /** Origin, with a trailing slash: `http://127.0.0.1:8000/`. */
  baseUrl: string;
  fetch: typeof fetch;
  /** The token to send, null where none is needed. */
  token: () => string | null;
  /** Any request was answered 401. */
  onUnauthenticated: () => void;
}

/** What is asked of the route table: where to, and how. */
interface Target {
  readonly method: Method;
  /** With `{name}` for parameters. */
  readonly path: string;
}

/** A schema of the contract. */
interface Schema<T> {
  parse(value: unknown): T;
}

interface Call {
  params?: Readonly<Record<string, string>>;
  query?: URLSearchParams;
  body?: unknown;
  signal?: AbortSignal | undefined;
}

export class ApiClient {
  readonly #deps: ApiClientDeps;

  constructor(deps: ApiClientDeps) {
    this.#deps = deps;
  }

  stats(signal?: AbortSignal): Promise<StatsOverview> {
    return this.#call(taskRoutes.statsOverview, taskRoutes.statsOverview.replies[200].body, { signal });
  }

  async queues(signal?: AbortSignal): Promise<Queue[]> {
    return (await this.#call(queueRoutes.listQueues, queueRoutes.listQueues.replies[200].body, { signal })).queues;
  }

  async workers(signal?: AbortSignal): Promise<Worker[]> {
    return (await this.#call(fleetRoutes.listWorkers, fleetRoutes.listWorkers.replies[200].body, { signal })).workers;
  }

  async taskTypes(signal?: AbortSignal): Promise<TaskTypeInfo[]> {
    const route = fleetRoutes.listTaskTypes;
    return (await this.#call(route, route.replies[200].body, { signal })).task_types;
  }

  /** Newest first. @param cursor `next_cursor` of the page before */
  tasks(filter: TaskFilter, page: { limit: number; cursor: string | null }, signal?: AbortSignal): Promise<TaskPage> {
    const query = new URLSearchParams({ limit: String(page.limit) });
    for (const [name, value] of Object.entries(filter)) query.set(name, String(value)); // several statuses: with commas
    if (page.cursor !== null) query.set('cursor', page.cursor);
    return this.#call(taskRoutes.listTasks, taskRoutes.listTasks.replies[200].body, { query, signal });
  }

  task(id: string, signal?: AbortSignal): Promise<Task> {
    return this.#call(taskRoutes.getTask, taskRoutes.getTask.replies[200].body, { params: { id }, signal });
  }

  async history(id: string, signal?: AbortSignal): Promise<HistoryEntry[]> {
    const route = taskRoutes.taskHistory;
    return (await this.#call(route, route.replies[200].body, { params: { id }, signal })).history;
  }

  async logs(id: string, signal?: AbortSignal): Promise<LogLine[]> {
    const route = taskRoutes.taskLogs;
    return (await this.#call(route, route.replies[200].body, { params: { id }, signal })).logs;
  }

  explain(id: string, signal?: AbortSignal): Promise<Explanation> {
    return this.#call(taskRoutes.explainTask, taskRoutes.explainTask.replies[200].body, { params: { id }, signal });
  }

  /** @throws {ApiError} with `fields` where the task is not valid */
  submit(task: SubmitTaskInput): Promise<Task> {
    return this.#call(taskRoutes.submitTask, taskRoutes.submitTask.replies[201].body, { body: task });
  }

  cancel(id: string): Promise<Task> {
    return this.#call(taskRoutes.cancelTask, taskRoutes.cancelTask.replies[200].body, { params: { id } });
  }

  retry(id: string): Promise<Task> {
    return this.#call(taskRoutes.retryTask, taskRoutes.retryTask.replies[200].body, { params: { id } });
  }

  pauseQueue(queue: string): Promise<Queue> {
    return this.#call(queueRoutes.pauseQueue, queueRoutes.pauseQueue.replies[200].body, { params: { queue } });
  }

  resumeQueue(queue: string): Promise<Queue> {
    return this.#call(queueRoutes.resumeQueue, queueRoutes.resumeQueue.replies[200].body, { params: { queue } });
  }

  /** What `requeueFailed` would do; nothing changes. */
  planRequeue(filter: TaskFilter, signal?: AbortSignal): Promise<DryRun> {
    const route = dlqRoutes.requeueDlq;
    return this.#call(route, route.replies[200].body, { body: { filter, dry_run: true }, signal });
  }

  /** @param expected how many the reader agreed to: refused with 409 where it is more than 10 % off */
  requeueFailed(filter: TaskFilter, expected: number): Promise<Operation> {
    const route = dlqRoutes.requeueDlq;
    return this.#call(route, route.replies[202].body, { body: { filter, expected_count: expected } });
  }

  operation(id: string, signal?: AbortSignal): Promise<Operation> {
    const route = operationRoutes.getOperation;
    return this.#call(route, route.replies[200].body, { params: { id }, signal });
  }

  async #call<T>({ method, path }: Target, schema: Schema<T>, call: Call): Promise<T> {
    const { baseUrl, fetch, token, onUnauthenticated } = this.#deps;
    const { params = {}, query, body, signal } = call;
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
    const url = new URL(filled.slice(1), baseUrl);
    url.search = query?.toString() ?? '';
    const headers = new Headers();
    const bearer = token();
    if (bearer !== null) headers.set('authorization', `Bearer ${bearer}`);
    if (body !== undefined) headers.set('content-type', 'application/json');
    const init: RequestInit = { method, headers };
    if (body !== undefined) init.body = JSON.stringify(body);
    if (signal !== undefined) init.signal = signal;
    let status = 0;
    let text: string;
    try {
      const response = await fetch(url, init);
      status = response.status;
      text = await response.text();
    } catch (error) {
      signal?.throwIfAborted();
      throw ApiError.unreachable(error);
    }
    if (status === 401) onUnauthenticated();
    if (status < 200 || status > 299) throw problemError(status, text);
    try {
      return schema.parse(text === '' ? null : JSON.parse(text));
    } catch (error) {
      throw ApiError.notUnderstood(status, error);
    }
  }
}
