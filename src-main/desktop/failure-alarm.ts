/**
 * When the user is told of failures: once for each cause, however many tasks it takes, and not again within
 * `PAUSE_MS`. What failed before the window was opened is no news.
 */
import type { FailureGroup } from '#queue/contract/failure';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';

/** Between two rounds of notifications. */
export const PAUSE_MS = 30_000;
/** For a cause of its own each; more of them are told in one. */
export const MOST_AT_ONCE = 3;
const ERROR_CHARS = 140;

export interface Notice {
  title: string;
  body: string;
}

export interface FailureAlarmDeps {
  groups: () => Promise<readonly FailureGroup[]>;
  show: (notice: Notice) => void;
  clock: Clock;
  log: Log;
}

export class FailureAlarm {
  readonly #deps: FailureAlarmDeps;
  readonly #stopping = new AbortController();
  #known: ReadonlyMap<string, { count: number; lastAt: string }> | null = null;
  #failed = 0;
  #pending = false;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: FailureAlarmDeps) {
    this.#deps = deps;
  }

  /** @param failed how many tasks are in the dead-letter queue now */
  heard(failed: number): void {
    const more = failed > this.#failed;
    this.#failed = failed;
    if ((more || this.#known === null) && !this.#pending) void this.#lookSoon();
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #lookSoon(): Promise<void> {
    const { clock, log } = this.#deps;
    const { signal } = this.#stopping;
    this.#pending = true;
    await clock.sleep(Math.max(0, this.#lookedAt + PAUSE_MS - clock.monotonic()), signal);
    if (signal.aborted) return;
    const heardBefore = this.#failed;
    await this.#look().catch((error: unknown) => log.debug('the failures could not be asked for', { error }));
    this.#pending = false;
    if (this.#failed > heardBefore) void this.#lookSoon(); // more came meanwhile
  }

  async #look(): Promise<void> {
    const { groups, show, clock } = this.#deps;
    const found = await groups();
    const known = this.#known;
    this.#known = new Map(found.map(({ fingerprint, count, last_at }) => [fingerprint, { count, lastAt: last_at }]));
    if (known === null) return; // the first look: all of it is from before
    const news = found.flatMap((group) => {
      const before = known.get(group.fingerprint);
      if (before?.lastAt === group.last_at) return [];
      return [{ group, fresh: Math.max(1, group.count - (before?.count ?? 0)) }];
    });
    if (news.length === 0 || this.#stopping.signal.aborted) return;
    this.#lookedAt = clock.monotonic();
    for (const notice of noticesOf(news)) show(notice);
  }
}

interface News {
  group: FailureGroup;
  fresh: number;
}

function noticesOf(news: readonly News[]): Notice[] {
  if (news.length <= MOST_AT_ONCE) {
    return news.map(({ group, fresh }) => ({
      title: `${tasks(fresh)} failed: ${group.task_type}`,
      body: `${group.queues.join(', ')}: ${group.error.slice(0, ERROR_CHARS)}`,
    }));
  }
  const fresh = news.reduce((sum, one) => sum + one.fresh, 0);
  return [{ title: `${tasks(fresh)} failed`, body: `${news.length} different errors` }];
}

const tasks = (count: number): string => (count === 1 ? '1 task' : `${count} tasks`);
