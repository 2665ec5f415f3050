/**
 * Reads the pools again and again while their view is shown: faster while a process starts or stops, and not at all
 * while the page is hidden.
 */
import type { ApiClient } from '../net/api-client';
import type { BrowserTime } from '../net/browser-time';
import type { PoolsStore } from '../stores/pools-store.svelte';
import { Poller } from './poller';

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
  readonly #poller: Poller;

  constructor(deps: PoolsLoaderDeps) {
    this.#deps = deps;
    const { time, hidden } = deps;
    this.#poller = new Poller({ time, hidden, read: (signal) => this.#read(signal) });
  }

  /** Reads now, and then until `close`. */
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
    try {
      const { pools } = await api.call('listPools', { signal });
      if (!signal.aborted) store.replace(pools);
    } catch (error) {
      if (!signal.aborted) store.error = error;
    }
    return store.moving ? MOVING_MS : EVERY_MS;
  }
}
