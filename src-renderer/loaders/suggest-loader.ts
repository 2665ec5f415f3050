/** Asks the server for values of what is being typed, a moment after the last key; a newer question cancels the one before. */
import { SUGGEST_FIELDS } from '#queue/contract/task';
import type { ApiClient } from '../net/api-client';
import { ApiError } from '../net/api-error';
import type { BrowserTime } from '../net/browser-time';
import type { KnownValue } from '../query/complete-query';
import type { FieldName } from '../query/fields';

const PAUSE_MS = 120;

export class SuggestLoader {
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

  /** @param use is called with the values, the most frequent first; never where the field has none to offer */
  ask(field: FieldName | null, prefix: string, use: (values: readonly KnownValue[]) => void): void {
    this.stop();
    const served = SUGGEST_FIELDS.find((each) => each === field);
    if (served === undefined) return;
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    this.#takeBack = this.#time.after(PAUSE_MS, () => void this.#read(served, prefix, signal, use));
  }

  async #read(
    field: string,
    prefix: string,
    signal: AbortSignal,
    use: (values: readonly KnownValue[]) => void,
  ): Promise<void> {
    try {
      const { values } = await this.#api.call('suggestTasks', { query: { field, prefix }, signal });
      if (signal.aborted) return;
      use(values.map(({ value, label, count }) => (label === null ? { value, count } : { value, count, note: label })));
    } catch (error) {
      if (!signal.aborted && !(error instanceof ApiError)) throw error; // completions only help
    }
  }
}
