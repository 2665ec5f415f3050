/** Values that a filter of tasks may take, for completion: from indexes, and from the newest tasks where there is none. */
import { LIMITS } from '../contract/limits';
import { totalOf } from '../contract/queue';
import type { SuggestField, Suggestion } from '../contract/task';
import { escapeText } from '../kernel/escape';
import type { RedisStore } from '../redis/store';
import { decodeRecord } from '../redis/task-record';
import { IdDriver } from './page-drivers';
import type { ErrorGroup, QueueState } from './ports';

/** Of a record: enough for its head, which has the tags; histories are not looked at. */
const PREVIEW_BYTES = 512;

export interface SuggestionDeps {
  store: RedisStore;
  queues: () => Promise<readonly string[]>;
  typesOf: (queue: string) => Promise<string[]>;
  states: () => Promise<QueueState[]>;
  errorGroups: () => Promise<ErrorGroup[]>;
}

export class Suggestions {
  readonly #deps: SuggestionDeps;

  constructor(deps: SuggestionDeps) {
    this.#deps = deps;
  }

  /** The most frequent first. */
  async of(field: Exclude<SuggestField, 'worker'>, prefix: string): Promise<Suggestion[]> {
    const found = await this.#candidates(field, prefix);
    return mostFrequent(found);
  }

  async #candidates(field: Exclude<SuggestField, 'worker'>, prefix: string): Promise<Suggestion[]> {
    switch (field) {
      case 'queue': {
        const states = (await this.#deps.states()).filter(({ name }) => begins(name, prefix));
        return states.map(({ name, counts }) => ({ value: name, label: null, count: totalOf(counts) }));
      }
      case 'type': {
        const queues = await this.#deps.queues();
        const types = await Promise.all(queues.map((queue) => this.#deps.typesOf(queue)));
        return this.#counted(
          byTimesSeen(types.flat().filter((type) => begins(type, prefix))),
          (type) => `ix:t:${type}`,
        );
      }
      case 'tag': {
        const tags = (await this.#newest()).flatMap((task) => task.tags);
        return this.#counted(valuesOf(tags, prefix), (tag) => `ix:g:${escapeText(tag)}`);
      }
      case 'owner': {
        const owners = (await this.#newest()).flatMap((task) => task.owner ?? []);
        return this.#counted(valuesOf(owners, prefix), (owner) => `ix:o:${escapeText(owner)}`);
      }
      case 'error': {
        const wanted = prefix.toLowerCase();
        const groups = (await this.#deps.errorGroups()).filter(
          ({ fingerprint, error }) => fingerprint.startsWith(wanted) || error.toLowerCase().includes(wanted),
        );
        return groups.map(({ fingerprint, error, count }) => ({ value: fingerprint, label: error, count }));
      }
    }
  }

  async #newest() {
    const { store, queues, typesOf } = this.#deps;
    const sources = await Promise.all(
      (await queues()).map(async (queue) => (await typesOf(queue)).map((type) => ({ queue, set: `ix:t:${type}` }))),
    );
    const walked = await new IdDriver(store, sources.flat(), '', '').walk(null, LIMITS.suggestSample, PREVIEW_BYTES);
    return walked.flatMap(({ raw }) => (raw.record === '' ? [] : [decodeRecord(raw.record)]));
  }

  /**
   * With the size of each one's index; what has none is not there. A value costs a look into every queue: the more
   * queues, the fewer values, so that one request keeps neither this process nor Redis from everything else.
   * @param values the likeliest first
   */
  async #counted(values: readonly string[], set: (value: string) => string): Promise<Suggestion[]> {
    const { store, queues } = this.#deps;
    const names = await queues();
    const affordable = Math.max(LIMITS.suggestions, Math.floor(LIMITS.scanRecords / Math.max(1, names.length)));
    const all = values.slice(0, Math.min(affordable, LIMITS.suggestSample));
    const counts = await store.command('count', (redis) =>
      Promise.all(
        all.map(async (value) => {
          const sizes = await Promise.all(names.map((queue) => redis.zcard(store.keys.of(queue, set(value)))));
          return sizes.reduce((sum, size) => sum + size, 0);
        }),
      ),
    );
    return all
      .map((value, index) => ({ value, label: null, count: counts[index] ?? 0 }))
      .filter(({ count }) => count > 0);
  }
}

const begins = (value: string, prefix: string): boolean => value.toLowerCase().startsWith(prefix.toLowerCase());

/** What was typed comes first: it may be a whole value that no new task has. */
const valuesOf = (seen: readonly string[], prefix: string): string[] => {
  const values = byTimesSeen(seen.filter((value) => begins(value, prefix)));
  return prefix === '' || values.includes(prefix) ? values : [prefix, ...values];
};

/** Each once, the one that came most often first. */
function byTimesSeen(values: readonly string[]): string[] {
  const times = new Map<string, number>();
  for (const value of values) times.set(value, (times.get(value) ?? 0) + 1);
  return [...times.entries()].sort(([, a], [, b]) => b - a).map(([value]) => value);
}

const mostFrequent = (all: readonly Suggestion[]): Suggestion[] =>
  [...all].sort((a, b) => (b.count ?? 0) - (a.count ?? 0) || (a.value < b.value ? -1 : 1)).slice(0, LIMITS.suggestions);
