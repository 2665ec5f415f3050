/** Reads pages of the task list into its store; a newer read cancels the one before. */
import type { TaskPage } from '#queue/contract/task';
import type { ApiClient } from '../net/api-client';
import type { TaskListStore } from '../stores/task-list-store.svelte';
import { type ListFilter, toQuery } from '../stores/task-row';

const PAGE_SIZE = 100;

export class TaskListLoader {
  readonly #api: ApiClient;
  readonly #store: TaskListStore;
  #reading = new AbortController();

  constructor(api: ApiClient, store: TaskListStore) {
    this.#api = api;
    this.#store = store;
  }

  async load(filter: ListFilter): Promise<void> {
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

  async #read(cursor: string | null, use: (page: TaskPage) => void): Promise<void> {
    this.#reading.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    try {
      const page = await this.#api.call('listTasks', {
        query: { ...toQuery(this.#store.filter), limit: PAGE_SIZE, cursor },
        signal,
      });
      if (!signal.aborted) use(page);
    } catch (error) {
      if (!signal.aborted) this.#store.fail(error);
    }
  }
}
