/**
 * Where nothing matches: which single change of the query finds something, and how much. Every count is the server's
 * own answer to the changed query; a newer question cancels the one before.
 */
import { TASK_STATUSES } from '#queue/contract/lifecycle';
import type { ApiClient } from '../net/api-client';
import { ApiError } from '../net/api-error';
import type { BrowserTime } from '../net/browser-time';
import { type Term, writeQuery } from '../query/fields';
import { readQuery } from '../query/list-scope';
import { setTerm } from '../query/query-edits';

export interface Relaxation {
  readonly term: Term;
  /** What the term becomes; null where it is left out. */
  readonly to: Term | null;
  /** The whole changed query. */
  readonly text: string;
  readonly count: number;
  readonly exact: boolean;
}

const SHOWN = 5;

export class RelaxLoader {
  readonly #api: ApiClient;
  readonly #time: BrowserTime;
  #reading = new AbortController();

  constructor(api: ApiClient, time: BrowserTime) {
    this.#api = api;
    this.#time = time;
  }

  stop(): void {
    this.#reading.abort();
  }

  /** @returns those that find something, the most first; null where a newer question came or the server does not answer */
  async find(terms: readonly Term[]): Promise<Relaxation[] | null> {
    this.#reading.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    try {
      const found = await Promise.all(
        changesOf(terms).map(async ({ term, to, terms: changed }) => {
          const text = writeQuery(changed);
          const scope = readQuery(text, this.#time.now()).scope;
          if (scope === null) return null;
          const { total, total_exact, tasks } = await this.#api.call('listTasks', {
            query: { ...scope.params, limit: 1 },
            signal,
          });
          const count = tasks.length === 0 ? 0 : total; // a bound that no task was found for is no promise
          return { term, to, text, count, exact: total_exact };
        }),
      );
      if (signal.aborted) return null;
      return found
        .filter((each) => each !== null && each.count > 0)
        .sort((a, b) => (b?.count ?? 0) - (a?.count ?? 0))
        .flatMap((each) => (each === null ? [] : [each]))
        .slice(0, SHOWN);
    } catch (error) {
      if (signal.aborted || error instanceof ApiError) return null;
      throw error;
    }
  }
}

function changesOf(terms: readonly Term[]): { term: Term; to: Term | null; terms: readonly Term[] }[] {
  const removals = terms.map((term) => ({ term, to: null, terms: terms.filter((each) => each !== term) }));
  const state = terms.find(({ field }) => field === 'state');
  if (state === undefined || terms.length < 2) return removals;
  const asked = state.value.split(',');
  const others = TASK_STATUSES.filter((status) => !asked.includes(status)).map((value) => ({
    term: state,
    to: { ...state, value },
    terms: setTerm(terms, 'state', value),
  }));
  return [...others, ...removals];
}
