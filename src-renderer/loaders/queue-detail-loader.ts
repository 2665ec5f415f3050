/** Reads the course and the task types of the queue that is open, again and again while the page is seen. */
import type { ApiClient } from '../net/api-client';
import type { BrowserTime } from '../net/browser-time';
import type { QueueDetailStore } from '../stores/queue-detail-store.svelte';
import { Poller } from './poller';

const EVERY_MS = 10_000;
const RANGE = '1h';
const STEP = '30s';

export interface QueueDetailLoaderDeps {
  api: ApiClient;
  store: QueueDetailStore;
  time: BrowserTime;
  hidden: () => boolean;
}

export class QueueDetailLoader {
  readonly #deps: QueueDetailLoaderDeps;
  readonly #poller: Poller;

  constructor(deps: QueueDetailLoaderDeps) {
    this.#deps = deps;
    const { time, hidden } = deps;
    this.#poller = new Poller({ time, hidden, read: (signal) => this.#read(signal) });
  }

  open(queue: string): void {
    this.#deps.store.open(queue);
    void this.refresh();
  }

  refresh(): Promise<void> {
    return this.#poller.now();
  }

  seen(): void {
    this.#poller.seen();
  }

  close(): void {
    this.#poller.stop();
  }

  async #read(signal: AbortSignal): Promise<number> {
    const { api, store } = this.#deps;
    const { queue } = store;
    try {
      const [series, types] = await Promise.all([
        api.call('timeseries', { query: { range: RANGE, step: STEP, queue }, signal }),
        api.call('queueTypes', { params: { queue }, signal }),
      ]);
      if (!signal.aborted) store.replace(series, types);
    } catch (error) {
      if (!signal.aborted) store.error = error;
    }
    return EVERY_MS;
  }
}
