/** Counts what an action on many tasks would do, and starts it with exactly that count. */
import type { BodyInputOf } from '#queue/contract/http';
import type { Routes } from '#queue/contract/http-routes';
import type { DryRun, Operation } from '#queue/contract/operation';
import type { ApiClient } from '../net/api-client';
import { ApiError } from '../net/api-error';
import type { BrowserTime } from '../net/browser-time';
import type { BulkAction } from '../stores/bulk-action';
import type { BulkStore } from '../stores/bulk-store.svelte';

const COUNT_CHANGED = 409;

type BulkRoute = 'requeueDlq' | 'purgeDlq' | 'startOperation';
type Terms = Partial<Pick<BodyInputOf<Routes['startOperation']>, 'dry_run' | 'rate' | 'limit' | 'expected_count'>>;

/** Of dead letters the routes of the dead-letter queue; of anything else an operation. */
export function routeOf({ verb, selection }: BulkAction): BulkRoute {
  if (verb === 'purge') return 'purgeDlq';
  const dead = 'filter' in selection && selection.filter.status === 'failed';
  return verb === 'requeue' && dead ? 'requeueDlq' : 'startOperation';
}

export class BulkLoader {
  readonly #api: ApiClient;
  readonly #store: BulkStore;
  readonly #time: BrowserTime;
  readonly #open = new AbortController();

  constructor(api: ApiClient, store: BulkStore, time: BrowserTime) {
    this.#api = api;
    this.#store = store;
    this.#time = time;
  }

  /** Asks what it would do; nothing changes. */
  async plan(): Promise<void> {
    await this.#counting((plan) => this.#store.counted(plan, this.#time.now()));
  }

  /** Does what was counted. @returns the operation; null where it was refused, which the store tells */
  async start(): Promise<Operation | null> {
    const { plan, starting, count, rate, limit } = this.#store;
    if (plan === null || starting || count === 0 || !this.#store.valid) return null;
    this.#store.begin();
    try {
      const terms: Terms = { expected_count: count };
      if (rate !== null) terms.rate = rate;
      if (limit !== null) terms.limit = limit;
      const answer = await this.#send(terms);
      return 'id' in answer ? answer : null;
    } catch (error) {
      if (error instanceof ApiError && error.status === COUNT_CHANGED)
        await this.#counting((fresh) => this.#store.recounted(fresh, count, this.#time.now()));
      else this.#store.fail(error);
      return null;
    }
  }

  /** What it was asked is no more wanted; what was started goes on. */
  stop(): void {
    this.#open.abort();
  }

  async #counting(use: (plan: DryRun) => void): Promise<void> {
    const { signal } = this.#open;
    try {
      const answer = await this.#send({ dry_run: true }, signal);
      if (!signal.aborted && 'samples' in answer) use(answer);
    } catch (error) {
      if (!signal.aborted) this.#store.fail(error);
    }
  }

  #send(terms: Terms, signal?: AbortSignal): Promise<DryRun | Operation> {
    const { action } = this.#store;
    const { verb, selection, priority } = action;
    const what = 'ids' in selection ? { ids: [...selection.ids], ...terms } : { filter: selection.filter, ...terms };
    const route = routeOf(action);
    if (route === 'requeueDlq') return this.#api.call(route, { body: what, signal });
    if (route === 'purgeDlq') return this.#api.call(route, { body: { ...what, confirm: true }, signal });
    const body = { ...what, action: verb === 'purge' ? 'delete' : verb };
    if (verb === 'delete') return this.#api.call(route, { body: { ...body, confirm: true }, signal });
    return this.#api.call(route, { body: priority === undefined ? body : { ...body, priority }, signal });
  }
}
