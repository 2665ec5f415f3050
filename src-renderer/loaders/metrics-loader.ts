/** Reads one time series again as often as a step of it lasts, while the page is seen. */
import type { ApiClient } from '../net/api-client';
import type { BrowserTime } from '../net/browser-time';
import type { MetricRange, MetricsStore } from '../stores/metrics-store.svelte';
import { Poller } from './poller';

const RETRY_MS = 5000;

export interface MetricsLoaderDeps {
  api: ApiClient;
  store: MetricsStore;
  time: BrowserTime;
  hidden: () => boolean;
}

export class MetricsLoader {
  readonly #deps: MetricsLoaderDeps;
  readonly #poller: Poller;
  #wanted: { range: MetricRange; queue: string | null } | null = null;

  constructor(deps: MetricsLoaderDeps) {
    this.#deps = deps;
    this.#poller = new Poller({ time: deps.time, hidden: deps.hidden, read: (signal) => this.#read(signal) });
  }

  /** @param queue null: all of them */
  show(range: MetricRange, queue: string | null): void {
    this.#wanted = { range, queue };
    void this.#poller.now();
  }

  again(): void {
    void this.#poller.now();
  }

  seen(): void {
    this.#poller.seen();
  }

  stop(): void {
    this.#poller.stop();
  }

  async #read(signal: AbortSignal): Promise<number> {
    const { api, store } = this.#deps;
    if (this.#wanted === null) return RETRY_MS;
    const { range, queue } = this.#wanted;
    try {
      const series = await api.call('timeseries', { query: { range: range.seconds, queue }, signal });
      if (!signal.aborted) store.put(range, series);
      return series.step * 1000;
    } catch (error) {
      if (!signal.aborted) store.fail(error);
      return RETRY_MS;
    }
  }
}
