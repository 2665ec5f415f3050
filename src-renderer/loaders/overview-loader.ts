/** Reads what the overview's charts and failure groups show, as often as a step of theirs lasts. */
import type { ApiClient } from '../net/api-client';
import type { BrowserTime } from '../net/browser-time';
import type { OverviewRange, OverviewSource, OverviewStore } from '../stores/overview-store.svelte';
import { Poller } from './poller';

/** Queues with a line of their own. */
const STACKED_QUEUES = 5;
const HOUR = { range: 3600, step: 30 } as const;
const GROUPS_MS = 10_000;
const RETRY_MS = 5000;

export interface OverviewLoaderDeps {
  api: ApiClient;
  store: OverviewStore;
  time: BrowserTime;
  hidden: () => boolean;
  /** Names, worst first. */
  queues: () => readonly string[];
}

export class OverviewLoader {
  readonly #deps: OverviewLoaderDeps;
  readonly #pollers: readonly Poller[];
  readonly #recorder: Poller;
  #range: OverviewRange | null = null;
  #begun = false;

  constructor(deps: OverviewLoaderDeps) {
    this.#deps = deps;
    const { time, hidden } = deps;
    const poll = (source: OverviewSource, read: (signal: AbortSignal) => Promise<number>) =>
      new Poller({ time, hidden, read: (signal) => this.#guarded(source, signal, read) });
    this.#recorder = poll('charts', (signal) => this.#readRecording(signal));
    this.#pollers = [
      poll('sparklines', (signal) => this.#readHour(signal)),
      poll('failure groups', (signal) => this.#readGroups(signal)),
      this.#recorder,
    ];
  }

  /** Shows this range, from the first read on. */
  show(range: OverviewRange): void {
    this.#range = range;
    if (this.#begun) void this.#recorder.now();
  }

  /** Reads all of it: the queues are known, the connection is back, or the reader asks for it. */
  read(): void {
    this.#begun = true;
    for (const poller of this.#pollers) void poller.now();
  }

  seen(): void {
    for (const poller of this.#pollers) poller.seen();
  }

  stop(): void {
    for (const poller of this.#pollers) poller.stop();
  }

  async #guarded(
    source: OverviewSource,
    signal: AbortSignal,
    read: (signal: AbortSignal) => Promise<number>,
  ): Promise<number> {
    try {
      const pause = await read(signal);
      if (!signal.aborted) this.#deps.store.succeed(source);
      return pause;
    } catch (error) {
      if (!signal.aborted) this.#deps.store.fail(source, error);
      return RETRY_MS;
    }
  }

  async #readHour(signal: AbortSignal): Promise<number> {
    this.#deps.store.putHour(await this.#deps.api.call('timeseries', { query: HOUR, signal }));
    return HOUR.step * 1000;
  }

  async #readGroups(signal: AbortSignal): Promise<number> {
    const { api, store } = this.#deps;
    store.putGroups((await api.call('listDlqGroups', { signal })).groups);
    // Which task completed last tells quiet apart from broken; from here on, frames tell it.
    if (store.lastCompletion === null) {
      const { tasks } = await api.call('listTasks', { query: { status: 'completed', limit: 1 }, signal });
      for (const { task_type, started_at, finished_at } of tasks)
        if (finished_at !== null) store.noteCompletion(task_type, started_at, finished_at);
    }
    return GROUPS_MS;
  }

  async #readRecording(signal: AbortSignal): Promise<number> {
    const { api, store, queues } = this.#deps;
    const range = this.#range;
    if (range === null) return RETRY_MS;
    const names = queues();
    // One more is shown by its name rather than as "others".
    const shown = names.length === STACKED_QUEUES + 1 ? names : names.slice(0, STACKED_QUEUES);
    const all = await api.call('timeseries', { query: { range: range.seconds, depths: shown }, signal });
    if (signal.aborted) return RETRY_MS;
    store.putRecording(range, all, names.length > shown.length);
    return all.step * 1000;
  }
}
