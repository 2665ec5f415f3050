/**
 * Finds the newest tasks of a type that begins as is typed, a moment after the last key; a newer question cancels the
 * one before. What an index serves, and no more: to look for a text is to read many tasks, which only Enter asks for.
 */
import { TypePattern } from '#queue/contract/primitives';
import type { Task } from '#queue/contract/task';
import type { ApiClient } from '../net/api-client';
import { ApiError } from '../net/api-error';
import type { BrowserTime } from '../net/browser-time';

const PAUSE_MS = 250;
/** Fewer begin almost any type. */
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

  /** @param use is called with the tasks, the newest first; with none where the words are no beginning of a type */
  find(words: string, use: (tasks: readonly Task[]) => void): void {
    this.stop();
    const pattern = `${words.toLowerCase()}*`;
    if (words.length < LEAST_LETTERS || !TypePattern.safeParse(pattern).success) {
      use([]);
      return;
    }
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    this.#takeBack = this.#time.after(PAUSE_MS, () => void this.#read(pattern, signal, use));
  }

  async #read(pattern: string, signal: AbortSignal, use: (tasks: readonly Task[]) => void): Promise<void> {
    try {
      const { tasks } = await this.#api.call('listTasks', { query: { task_type: pattern, limit: MOST }, signal });
      if (!signal.aborted) use(tasks);
    } catch (error) {
      if (!signal.aborted && !(error instanceof ApiError)) throw error; // what is typed can still be searched for
    }
  }
}
