/**
 * Reads pages of a task list into its store; a newer read cancels the one before. Follows the frames, and reads again
 * after a gap in them.
 */
import type { ServerFrame } from '#queue/contract/stream';
import type { TaskPage } from '#queue/contract/task';
import type { ApiClient } from '../net/api-client';
import type { BrowserTime } from '../net/browser-time';
import type { PaintBeat } from '../paint-beat';
import type { ListScope } from '../query/list-scope';
import type { TaskListStore } from '../stores/task-list-store.svelte';
import { FrameBatch } from './frame-batch';
import { RowCompleter } from './row-completer';

/** More than the highest window shows: the first rows are there sooner. */
const FIRST_PAGE_SIZE = 100;
const PAGE_SIZE = 200;

export class TaskListLoader {
  readonly #api: ApiClient;
  readonly #store: TaskListStore;
  readonly #time: BrowserTime;
  readonly #batch: FrameBatch;
  readonly #completer: RowCompleter;
  #reading = new AbortController();

  constructor(api: ApiClient, store: TaskListStore, time: BrowserTime, beat: PaintBeat) {
    this.#api = api;
    this.#store = store;
    this.#time = time;
    this.#completer = new RowCompleter(api, store, time, beat);
    this.#batch = new FrameBatch(beat, (frames) => {
      store.apply(frames, time.now());
      this.#completer.look();
    });
  }

  take(frame: ServerFrame): void {
    this.#batch.take(frame);
    if (frame.type === 'snapshot' && (this.#store.loaded || this.#store.error !== null)) void this.reload();
  }

  async load(scope: ListScope): Promise<void> {
    this.#store.begin(scope);
    const began = this.#time.now();
    await this.#read(null, (page) => this.#store.replace(page, this.#time.now() - began));
  }

  reload(): Promise<void> {
    return this.load(this.#store.scope);
  }

  async more(): Promise<void> {
    const { nextCursor, loading, full } = this.#store;
    if (nextCursor === null || loading !== null || full) return;
    this.#store.loading = 'more';
    await this.#read(nextCursor, (page) => this.#store.append(page));
  }

  /** The waiting rows come in, and what frames do not tell of them is read. */
  showWaiting(): void {
    this.#store.showWaiting();
    this.#completer.look();
  }

  stop(): void {
    this.#reading.abort();
  }

  async #read(cursor: string | null, use: (page: TaskPage) => void): Promise<void> {
    this.#reading.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    try {
      const query = { ...this.#store.scope.params, limit: cursor === null ? FIRST_PAGE_SIZE : PAGE_SIZE, cursor };
      const page = await this.#api.call('listTasks', { query, signal });
      if (!signal.aborted) use(page);
    } catch (error) {
      if (!signal.aborted) this.#store.fail(error);
    }
  }
}
