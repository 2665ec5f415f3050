/** Reads pages of dead letters, folds frames in batches, and does what is done to a single one. */
import type { BodyInputOf } from '#queue/contract/http';
import type { Routes } from '#queue/contract/http-routes';
import type { ServerFrame } from '#queue/contract/stream';
import type { Task, TaskFilter, TaskPage } from '#queue/contract/task';
import type { ApiClient } from '../net/api-client';
import type { BrowserTime } from '../net/browser-time';
import type { DeadLettersStore } from '../stores/dead-letters-store.svelte';
import type { ExportSource } from './export-loader';

const PAGE_SIZE = 200;
const EXPORT_PAGE = 1000;
/** At most four paints a second. */
const PAINT_MS = 250;

export class DeadLettersLoader {
  readonly #api: ApiClient;
  readonly #store: DeadLettersStore;
  readonly #time: BrowserTime;
  #reading = new AbortController();
  #inbox: ServerFrame[] = [];

  constructor(api: ApiClient, store: DeadLettersStore, time: BrowserTime) {
    this.#api = api;
    this.#store = store;
    this.#time = time;
  }

  async load(filter: TaskFilter): Promise<void> {
    this.#store.begin(filter);
    await this.#read(null, (page) => this.#store.replace(page));
  }

  reload(): Promise<void> {
    return this.load(this.#store.filter);
  }

  async more(): Promise<void> {
    const { nextCursor, loading } = this.#store;
    if (nextCursor === null || loading !== null) return;
    this.#store.loading = 'more';
    await this.#read(nextCursor, (page) => this.#store.append(page));
  }

  take(frame: ServerFrame): void {
    if (frame.type === 'snapshot') void this.reload();
    if (frame.type !== 'task') return;
    if (this.#inbox.length === 0)
      this.#time.after(PAINT_MS, () => {
        this.#store.apply(this.#inbox);
        this.#inbox = [];
      });
    this.#inbox.push(frame);
  }

  /** The task with its payload, however long. @throws {ApiError} */
  whole(id: string): Promise<Task> {
    return this.#api.call('getTask', { params: { id } });
  }

  /** Back to pending, as it is or changed. @throws {ApiError} */
  async retry(id: string, change: BodyInputOf<Routes['retryTask']> = {}): Promise<void> {
    await this.#api.call('retryTask', { params: { id }, body: change });
  }

  stop(): void {
    this.#reading.abort();
  }

  /** Everything that matches now. */
  exported(): ExportSource<Task> {
    const { status: _, ...query } = this.#store.filter;
    return {
      what: 'dead-letters',
      columns: [
        { name: 'id', of: (task) => task.id },
        { name: 'name', of: (task) => task.name },
        { name: 'task_type', of: (task) => task.task_type },
        { name: 'queue', of: (task) => task.queue },
        { name: 'priority', of: (task) => task.priority },
        { name: 'attempts', of: (task) => task.attempts },
        { name: 'created_at', of: (task) => task.created_at },
        { name: 'failed_at', of: (task) => task.finished_at },
        { name: 'worker_id', of: (task) => task.worker_id },
        { name: 'error', of: (task) => task.error?.name },
        { name: 'message', of: (task) => task.error?.message },
        { name: 'fingerprint', of: (task) => task.error?.fingerprint },
        { name: 'payload', of: (task) => task.payload },
      ],
      page: async (cursor, signal) => {
        const page = await this.#api.call('listDlq', { query: { ...query, limit: EXPORT_PAGE, cursor }, signal });
        return { rows: page.tasks, next: page.next_cursor, total: page.total };
      },
    };
  }

  async #read(cursor: string | null, use: (page: TaskPage) => void): Promise<void> {
    this.#reading.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    try {
      const { status: _, ...query } = this.#store.filter;
      const page = await this.#api.call('listDlq', { query: { ...query, limit: PAGE_SIZE, cursor }, signal });
      if (!signal.aborted) use(page);
    } catch (error) {
      if (!signal.aborted) this.#store.fail(error);
    }
  }
}
