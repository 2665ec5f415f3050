/** Reads one task with all that belongs to it into the inspector's store, again and again while it changes. */
import { isFinal } from '#queue/contract/lifecycle';
import type { ApiClient } from '../net/api-client';
import type { BrowserTime } from '../net/browser-time';
import type { TaskDetailStore } from '../stores/task-detail-store.svelte';

/** Frames of a busy task come faster than anyone reads. */
const REFRESH_MS = 400;

export class TaskDetailLoader {
  readonly #api: ApiClient;
  readonly #store: TaskDetailStore;
  readonly #time: BrowserTime;
  #reading = new AbortController();
  #planned = false;

  constructor(api: ApiClient, store: TaskDetailStore, time: BrowserTime) {
    this.#api = api;
    this.#store = store;
    this.#time = time;
  }

  async open(id: string | null): Promise<void> {
    this.#store.open(id);
    await this.refresh();
  }

  /** Reads again soon; many calls are one read. */
  refreshSoon(): void {
    if (this.#planned) return;
    this.#planned = true;
    this.#time.after(REFRESH_MS, () => {
      this.#planned = false;
      void this.refresh();
    });
  }

  async refresh(): Promise<void> {
    this.#reading.abort();
    const { id } = this.#store;
    if (id === null) return;
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    const call = { params: { id }, signal };
    this.#store.begin();
    try {
      const [task, { history }, { logs }] = await Promise.all([
        this.#api.call('getTask', call),
        this.#api.call('taskHistory', call),
        this.#api.call('taskLogs', call),
      ]);
      const explanation = isFinal(task.status) ? null : await this.#api.call('explainTask', call);
      if (!signal.aborted) this.#store.replace({ task, history, logs, explanation });
    } catch (error) {
      if (!signal.aborted) this.#store.fail(error);
    }
  }
}
