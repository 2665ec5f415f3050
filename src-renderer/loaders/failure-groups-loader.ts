/** Reads the groups of dead letters and the one that is open; again soon after a task has come to them or left them. */
import type { ServerFrame } from '#queue/contract/stream';
import type { ApiClient } from '../net/api-client';
import { ApiError } from '../net/api-error';
import type { BrowserTime } from '../net/browser-time';
import type { FailureGroupsStore } from '../stores/failure-groups-store.svelte';

/** Grouping costs the server some reads: a wave of failures is no reason to do it more often. */
const REFRESH_MS = 2000;
const MEMBERS = 50;
const NOT_FOUND = 404;

export class FailureGroupsLoader {
  readonly #api: ApiClient;
  readonly #store: FailureGroupsStore;
  readonly #time: BrowserTime;
  #listing = new AbortController();
  #describing = new AbortController();
  #planned: (() => void) | null = null;
  #stopped = false;

  constructor(api: ApiClient, store: FailureGroupsStore, time: BrowserTime) {
    this.#api = api;
    this.#store = store;
    this.#time = time;
  }

  async read(): Promise<void> {
    this.#listing.abort();
    this.#listing = new AbortController();
    const { signal } = this.#listing;
    try {
      const { groups } = await this.#api.call('listDlqGroups', { signal });
      if (!signal.aborted) this.#store.replace(groups);
    } catch (error) {
      if (!signal.aborted) this.#store.fail(error);
    }
  }

  async open(fingerprint: string | null): Promise<void> {
    this.#store.open(fingerprint);
    await this.describe();
  }

  async describe(): Promise<void> {
    this.#describing.abort();
    const fingerprint = this.#store.openId;
    if (fingerprint === null) return;
    this.#describing = new AbortController();
    const { signal } = this.#describing;
    try {
      const [detail, { tasks }] = await Promise.all([
        this.#api.call('getDlqGroup', { params: { fingerprint }, signal }),
        this.#api.call('listDlq', { query: { error: fingerprint, limit: MEMBERS }, signal }),
      ]);
      if (!signal.aborted) this.#store.describe(detail, tasks);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.status === NOT_FOUND) this.#store.gone = true;
      else this.#store.failDetail(error);
    }
  }

  take(frame: ServerFrame): void {
    const moved =
      frame.type === 'snapshot' ||
      (frame.type === 'task' && ['failed', 'requeued', 'removed'].includes(frame.event)) ||
      (frame.type === 'task' && frame.task.status === 'failed');
    if (moved) this.#refreshSoon();
  }

  stop(): void {
    this.#stopped = true;
    this.#planned?.();
    this.#listing.abort();
    this.#describing.abort();
  }

  #refreshSoon(): void {
    if (this.#planned !== null || this.#stopped) return;
    this.#planned = this.#time.after(REFRESH_MS, () => {
      this.#planned = null;
      void this.read();
      void this.describe();
    });
  }
}
