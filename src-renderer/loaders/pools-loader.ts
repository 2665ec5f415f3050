/**
 * Reads the pools again and again while their view is shown: faster while a process starts or stops, and not at all
 * while the page is hidden.
 */
import type { ApiClient } from '../net/api-client';
import type { BrowserTime } from '../net/browser-time';
import type { PoolsStore } from '../stores/pools-store.svelte';

const EVERY_MS = 2000;
const MOVING_MS = 500;

export interface PoolsLoaderDeps {
  api: ApiClient;
  store: PoolsStore;
  time: BrowserTime;
  hidden: () => boolean;
}

export class PoolsLoader {
  readonly #deps: PoolsLoaderDeps;
  #reading = new AbortController();
  #takeBack: () => void = () => undefined;

  constructor(deps: PoolsLoaderDeps) {
    this.#deps = deps;
  }

  /** Reads now, and then until `close`; a read that is under way is broken off. */
  async refresh(): Promise<void> {
    this.close();
    const { api, store, hidden } = this.#deps;
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    if (!hidden()) {
      try {
        const { pools } = await api.call('listPools', { signal });
        if (signal.aborted) return;
        store.replace(pools);
      } catch (error) {
        if (signal.aborted) return;
        store.error = error;
      }
    }
    this.#takeBack = this.#deps.time.after(store.moving ? MOVING_MS : EVERY_MS, () => void this.refresh());
  }

  close(): void {
    this.#reading.abort();
    this.#takeBack();
  }
}
