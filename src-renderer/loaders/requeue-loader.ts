/** Plans a requeue of failed tasks, starts it, and follows its operation until it is over or the dialog is closed. */
import type { ApiClient } from '../net/api-client';
import type { BrowserTime } from '../net/browser-time';
import type { RequeueStore } from '../stores/requeue-store.svelte';
import { type ListFilter, toQuery } from '../stores/task-row';

const FOLLOW_MS = 500;

export class RequeueLoader {
  readonly #api: ApiClient;
  readonly #store: RequeueStore;
  readonly #time: BrowserTime;
  #open = new AbortController();

  constructor(api: ApiClient, store: RequeueStore, time: BrowserTime) {
    this.#api = api;
    this.#store = store;
    this.#time = time;
  }

  /** Opens the dialog and asks what would be requeued. */
  async plan(filter: ListFilter): Promise<void> {
    this.#open.abort();
    this.#open = new AbortController();
    const { signal } = this.#open;
    this.#store.open(filter);
    try {
      const plan = await this.#api.call('requeueDlq', { body: { filter: toQuery(filter), dry_run: true }, signal });
      if (!signal.aborted && 'samples' in plan) this.#store.plan = plan;
    } catch (error) {
      if (!signal.aborted) this.#store.fail(error);
    }
  }

  /** Requeues what the plan has told of. */
  async start(): Promise<void> {
    const { filter, plan, starting, operation } = this.#store;
    if (filter === null || plan === null || starting || operation !== null) return;
    const { signal } = this.#open;
    this.#store.start();
    try {
      const body = { filter: toQuery(filter), expected_count: plan.matched };
      const started = await this.#api.call('requeueDlq', { body });
      if (!signal.aborted && 'id' in started) this.#follow(started.id, signal, started);
    } catch (error) {
      if (!signal.aborted) this.#store.fail(error);
    }
  }

  close(): void {
    this.#open.abort();
    this.#store.close();
  }

  #follow(id: string, signal: AbortSignal, operation: Parameters<RequeueStore['follow']>[0]): void {
    this.#store.follow(operation);
    if (!this.#store.over) this.#time.after(FOLLOW_MS, () => void this.#look(id, signal));
  }

  async #look(id: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    try {
      const operation = await this.#api.call('getOperation', { params: { id }, signal });
      if (!signal.aborted) this.#follow(id, signal, operation);
    } catch (error) {
      if (signal.aborted) return;
      this.#store.fail(error);
      this.#time.after(FOLLOW_MS, () => void this.#look(id, signal)); // the server carries on; so does the look at it
    }
  }
}
