/** Reads what frames leave out of the newest rows of a list, their names above all; at most once in a while, however busy the server is. */
import type { ApiClient } from '../net/api-client';
import { ApiError } from '../net/api-error';
import type { BrowserTime } from '../net/browser-time';
import type { PaintBeat } from '../paint-beat';
import type { TaskListStore } from '../stores/task-list-store.svelte';

const PAUSE_MS = 1000;
const NEWEST = 50;

export class RowCompleter {
  readonly #api: ApiClient;
  readonly #store: TaskListStore;
  readonly #time: BrowserTime;
  readonly #beat: PaintBeat;
  #planned = false;

  constructor(api: ApiClient, store: TaskListStore, time: BrowserTime, beat: PaintBeat) {
    this.#api = api;
    this.#store = store;
    this.#time = time;
    this.#beat = beat;
  }

  /** Call whenever frames have been folded. */
  look(): void {
    if (this.#planned || !this.#store.hasPartial(NEWEST)) return;
    this.#planned = true;
    this.#time.after(PAUSE_MS, () => void this.#read());
  }

  async #read(): Promise<void> {
    try {
      const page = await this.#api.call('listTasks', { query: { ...this.#store.scope.params, limit: NEWEST } });
      this.#beat.ask(() => this.#store.complete(page.tasks));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // the rows stay as they are; the next frame asks again
    } finally {
      this.#planned = false;
    }
  }
}
