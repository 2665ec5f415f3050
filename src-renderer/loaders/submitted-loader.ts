/**
 * Follows the task that was just submitted. It may have ended before the answer to its submit was here: so it is read
 * once, and again whenever a frame says that something has happened to it.
 */
import type { ServerFrame } from '#queue/contract/stream';
import type { Task } from '#queue/contract/task';
import type { ApiClient } from '../net/api-client';
import { ApiError } from '../net/api-error';
import type { SubmittedStore } from '../stores/submitted-store.svelte';

export class SubmittedLoader {
  readonly #api: ApiClient;
  readonly #store: SubmittedStore;
  #reading = new AbortController();

  constructor(api: ApiClient, store: SubmittedStore) {
    this.#api = api;
    this.#store = store;
  }

  /** @param sentAt ISO 8601: a task older than it was there before */
  follow(task: Task, sentAt: string): void {
    this.#store.begin(task, sentAt);
    void this.#read();
  }

  take(frame: ServerFrame): void {
    if (this.#store.apply(frame)) void this.#read();
  }

  stop(): void {
    this.#reading.abort();
  }

  async #read(): Promise<void> {
    this.#reading.abort();
    const { task } = this.#store;
    if (task === null) return;
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    try {
      const fresh = await this.#api.call('getTask', { params: { id: task.id }, signal });
      if (!signal.aborted) this.#store.replace(fresh);
    } catch (error) {
      if (!signal.aborted && !(error instanceof ApiError)) throw error; // what the frames tell stays
    }
  }
}
