/**
 * Finds a few tasks by what is typed, a moment after the last key: of a type that begins so, and with the words in id,
 * name or payload. A newer question cancels the one before.
 */
import { type Task, TaskFilter } from '#queue/contract/task';
import type { ApiClient } from '../net/api-client';
import { ApiError } from '../net/api-error';
import type { BrowserTime } from '../net/browser-time';

const PAUSE_MS = 250;
/** Fewer letters are in almost any task, and to look for them is to read many. */
const LEAST_LETTERS = 3;
const MOST = 3;

export class TaskFinder {
  readonly #api: ApiClient;
  readonly #time: BrowserTime;
  #reading = new AbortController();
  #takeBack: () => void = () => undefined;

  constructor(api: ApiClient, time: BrowserTime) {
    this.#api = api;
    this.#time = time;
  }

  stop(): void {
    this.#takeBack();
    this.#reading.abort();
  }

  /** @param use is called with the tasks, those of a type first; with none where the words are too short */
  find(words: string, use: (tasks: readonly Task[]) => void): void {
    this.stop();
    if (words.length < LEAST_LETTERS) {
      use([]);
      return;
    }
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    this.#takeBack = this.#time.after(PAUSE_MS, () => void this.#read(words, signal, use));
  }

  async #read(words: string, signal: AbortSignal, use: (tasks: readonly Task[]) => void): Promise<void> {
    const read = async (filter: { q?: string; task_type?: string }) =>
      TaskFilter.safeParse(filter).success
        ? (await this.#api.call('listTasks', { query: { ...filter, limit: MOST }, signal })).tasks
        : [];
    try {
      const pages = await Promise.all([read({ task_type: `${words.toLowerCase()}*` }), read({ q: words })]);
      if (!signal.aborted) use([...new Map(pages.flat().map((task) => [task.id, task])).values()].slice(0, MOST));
    } catch (error) {
      if (!signal.aborted && !(error instanceof ApiError)) throw error; // what is typed can still be searched for
    }
  }
}
