/** Reads the course and the task types of the queue that is open, again with every step of the course. */
import type { ApiClient } from '../net/api-client';
import type { BrowserTime } from '../net/browser-time';
import type { QueueDetailStore } from '../stores/queue-detail-store.svelte';

const EVERY_MS = 10_000;
const RANGE = '1h';
const STEP = '30s';

export class QueueDetailLoader {
  readonly #api: ApiClient;
  readonly #store: QueueDetailStore;
  readonly #time: BrowserTime;
  #reading = new AbortController();
  #takeBack: () => void = () => undefined;

  constructor(api: ApiClient, store: QueueDetailStore, time: BrowserTime) {
    this.#api = api;
    this.#store = store;
    this.#time = time;
  }

  open(queue: string | null): void {
    this.#store.open(queue);
    void this.refresh();
  }

  async refresh(): Promise<void> {
    this.close();
    const { queue } = this.#store;
    if (queue === null) return;
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    try {
      const [series, types] = await Promise.all([
        this.#api.call('timeseries', { query: { range: RANGE, step: STEP, queue }, signal }),
        this.#api.call('queueTypes', { params: { queue }, signal }),
      ]);
      this.#store.replace(series, types);
    } catch (error) {
      if (signal.aborted) return;
      this.#store.error = error;
    }
    this.#takeBack = this.#time.after(EVERY_MS, () => void this.refresh());
  }

  /** Reads no more until the next `open`. */
  close(): void {
    this.#reading.abort();
    this.#takeBack();
  }
}
