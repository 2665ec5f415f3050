/**
 * Finds the newest tasks of a type that begins as is typed. What an index serves, and no more: to look for a text is to
 * read many tasks, which only Enter asks for.
 */
import { TypePattern } from '#queue/contract/primitives';
import type { Task } from '#queue/contract/task';
import type { ApiClient } from '../net/api-client';
import type { BrowserTime } from '../net/browser-time';
import { TypedQuestion } from './typed-question';

const PAUSE_MS = 250;
/** Fewer begin almost any type. */
const LEAST_LETTERS = 3;
const MOST = 3;

export class TaskFinder {
  readonly #api: ApiClient;
  readonly #question: TypedQuestion;

  constructor(api: ApiClient, time: BrowserTime) {
    this.#api = api;
    this.#question = new TypedQuestion(time, PAUSE_MS);
  }

  stop(): void {
    this.#question.stop();
  }

  /** @param use is called with the tasks, the newest first; with none where the words are no beginning of a type */
  find(words: string, use: (tasks: readonly Task[]) => void): void {
    this.stop();
    const pattern = `${words.toLowerCase()}*`;
    if (words.length < LEAST_LETTERS || !TypePattern.safeParse(pattern).success) {
      use([]);
      return;
    }
    const query = { task_type: pattern, limit: MOST };
    this.#question.ask(async (signal) => (await this.#api.call('listTasks', { query, signal })).tasks, use);
  }
}
