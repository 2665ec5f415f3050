/** Asks the server for values of what is being typed. */
import { SUGGEST_FIELDS } from '#queue/contract/task';
import type { ApiClient } from '../net/api-client';
import type { BrowserTime } from '../net/browser-time';
import type { KnownValue } from '../query/complete-query';
import type { FieldName } from '../query/fields';
import { TypedQuestion } from './typed-question';

const PAUSE_MS = 120;

export class SuggestLoader {
  readonly #api: ApiClient;
  readonly #question: TypedQuestion;

  constructor(api: ApiClient, time: BrowserTime) {
    this.#api = api;
    this.#question = new TypedQuestion(time, PAUSE_MS);
  }

  stop(): void {
    this.#question.stop();
  }

  /** @param use is called with the values, the most frequent first; never where the field has none to offer */
  ask(field: FieldName | null, prefix: string, use: (values: readonly KnownValue[]) => void): void {
    this.stop();
    const served = SUGGEST_FIELDS.find((each) => each === field);
    if (served === undefined) return;
    const query = { field: served, prefix };
    this.#question.ask(
      async (signal) => (await this.#api.call('suggestTasks', { query, signal })).values,
      (values) =>
        use(
          values.map(({ value, label, count }) => (label === null ? { value, count } : { value, count, note: label })),
        ),
    );
  }
}
