/**
 * Lists of tasks: picks the smallest index that a filter allows, walks it, and looks at each task for the rest of
 * the filter. Bounded: a page that has looked at `LIMITS.scanRecords` tasks ends early, and its cursor goes on.
 */
import { z } from 'zod';
import { QueueError } from '../contract/errors';
import type { TaskStatus } from '../contract/lifecycle';
import { LIMITS } from '../contract/limits';
import { TaskId } from '../contract/primitives';
import type { Clock } from '../kernel/clock';
import { escapeText } from '../kernel/escape';
import { idPrefixAt } from '../kernel/ids';
import { logicalQueue } from '../kernel/shard-name';
import { page } from '../redis/scripts/page';
import { read } from '../redis/scripts/read';
import { nameKey } from '../redis/scripts/submit';
import type { RedisStore } from '../redis/store';
import { ChainDriver, type Driver, IdDriver, ScoreDriver, type Source, type Walked } from './page-drivers';
import type { ErrorGroup, ReadFilter, ReadPage, StoredTask } from './ports';
import type { QueueRegistry } from './queue-registry';
import { decodeTask } from './task-decoder';
import { fits, listOf, matches, searchText } from './task-match';

const CHUNK = 100;
/** Bytes that one search for text reads at most before it answers with what it has. */
const SCAN_BYTES = 16 * 1024 * 1024;
/** An id's time is its submitter's, created_at is Redis's: how far apart the two clocks may be. */
const CLOCK_SLACK_MS = 10_000;
const FINGERPRINT = /^[0-9a-f]{8}$/;

const SETS: Record<TaskStatus, readonly string[]> = {
  pending: ['pending', 'parked'],
  scheduled: ['scheduled'],
  retrying: ['retrying'],
  blocked: ['blocked'],
  processing: ['leases'],
  completed: ['completed'],
  failed: ['failed'],
  cancelled: ['cancelled'],
};
const KINDS: Record<TaskStatus, 'up' | 'down' | 'pending'> = {
  pending: 'pending',
  scheduled: 'up',
  retrying: 'up',
  blocked: 'down',
  processing: 'down',
  completed: 'down',
  failed: 'down',
  cancelled: 'down',
};

/** What narrows a list beside status and queue. */
const FILTERS = [
  'task_type',
  'tag',
  'owner',
  'error',
  'q',
  'since',
  'until',
  'worker',
  'attempts_min',
  'run_min',
  'priority',
  'payload',
] as const;
/** Where the error of the last attempt matters now. */
const WITH_ERRORS: readonly TaskStatus[] = ['failed', 'retrying', 'processing'];

/**
 * `phase` names: tasks whose name begins with the text, from the index; walk: everything else. `by` is what the first
 * page walked: the next one goes on in the same order, also where another index has become the smaller one.
 */
const Cursor = z.strictObject({
  phase: z.enum(['names', 'walk']),
  at: z.string().nullable(),
  by: z.string().nullish(),
});

export interface SearchDeps {
  store: RedisStore;
  registry: QueueRegistry;
  clock: Pick<Clock, 'now'>;
  errorGroups: () => Promise<ErrorGroup[]>;
  typesOf: (queue: string) => Promise<string[]>;
}

interface Plan {
  by: 'task_type' | 'tag' | 'owner' | 'error' | 'status' | 'statuses' | 'all';
  driver: Driver;
  /** The driver alone finds exactly what the filter asks for. */
  exact: boolean;
}

export class TaskSearch {
  readonly #deps: SearchDeps;

  constructor(deps: SearchDeps) {
    this.#deps = deps;
  }

  async list(asked: ReadFilter, { limit, cursor }: { limit: number; cursor: string | null }): Promise<ReadPage> {
    const filter = asked.error === undefined || asked.status?.length ? asked : { ...asked, status: WITH_ERRORS };
    const now = this.#deps.clock.now();
    const text = filter.q;
    if (text !== undefined && TaskId.safeParse(text).success) return this.#byId(text, filter);
    const start =
      cursor === null ? { phase: text === undefined ? 'walk' : 'names', at: null, by: null } : decodeCursor(cursor);
    const queues = await this.#queues(filter);
    const plan = await this.#plan(queues, filter, start.by ?? null);
    const total = await plan.driver.total();
    const tasks: StoredTask[] = [];
    let { phase, at } = start;
    if (phase === 'names' && text !== undefined) {
      const named = await this.#named(queues, text, at, limit);
      tasks.push(...named.tasks.filter((task) => matches(task, { ...filter, q: undefined }, now)));
      if (named.next !== null) {
        return { tasks, nextCursor: encodeCursor('names', named.next, plan.by), total, totalExact: false, scanned: 0 };
      }
      [phase, at] = ['walk', null];
    }
    const prefix = text === undefined ? null : nameKey(text);
    const skipNamed = (task: StoredTask) =>
      prefix !== null && task.name !== null && nameKey(task.name).startsWith(prefix);
    const found = await this.#walk(plan, filter, at, limit - tasks.length, skipNamed, now);
    return {
      tasks: [...tasks, ...found.tasks],
      nextCursor: found.next === null ? null : encodeCursor('walk', found.next, plan.by),
      total,
      totalExact: plan.exact,
      scanned: plan.exact ? null : found.scanned,
    };
  }

  /** Ids that a filter finds, at most `limit`; walks as far as it takes. */
  async ids(filter: ReadFilter, limit: number): Promise<string[]> {
    const queues = await this.#queues(filter);
    const plan = await this.#plan(queues, filter);
    const now = this.#deps.clock.now();
    const ids: string[] = [];
    let at: string | null = null;
    while (ids.length < limit) {
      const chunk = await plan.driver.walk(
        at,
        Math.min(LIMITS.pageMax, limit - ids.length),
        plan.exact ? -1 : previewOf(filter),
      );
      if (chunk.length === 0) break;
      for (const walked of chunk) {
        const task = plan.exact ? null : decodeTask(walked.queue, walked.raw);
        if (plan.exact || (task !== null && matches(task, filter, now))) ids.push(walked.raw.id);
      }
      at = chunk.at(-1)?.cursor ?? null;
    }
    return ids;
  }

  async #walk(
    plan: Plan,
    filter: ReadFilter,
    from: string | null,
    limit: number,
    skip: (task: StoredTask) => boolean,
    now: number,
  ) {
    const tasks: StoredTask[] = [];
    let at = from;
    let scanned = 0;
    let bytes = 0;
    let ended = limit <= 0;
    while (tasks.length < limit && scanned < LIMITS.scanRecords && bytes < SCAN_BYTES && !ended) {
      const size = plan.exact ? limit - tasks.length : Math.max(CHUNK, limit - tasks.length);
      const chunk: Walked[] = await walkFrom(plan.driver, at, size, previewOf(filter));
      ended = chunk.length < size;
      for (const walked of chunk) {
        if (tasks.length === limit) {
          ended = false;
          break;
        }
        scanned++;
        bytes += walked.raw.recordBytes;
        at = walked.cursor;
        const task = decodeTask(walked.queue, walked.raw);
        // Between a look at an index and at its tasks, one may have come into another state.
        const fitting = plan.exact ? isIn(task, filter.status) : task !== null && matches(task, filter, now);
        if (task && fitting && !skip(task)) tasks.push(task);
      }
    }
    return { tasks, scanned, next: ended ? null : at };
  }

  async #byId(id: string, filter: ReadFilter): Promise<ReadPage> {
    const [queue] = (await this.#deps.registry.locate([id])).keys();
    const [raw] =
      queue === undefined ? [] : await this.#deps.store.run(read, queue, { ids: [id], previewBytes: previewOf({}) });
    const task = queue !== undefined && raw ? decodeTask(queue, raw) : null;
    const tasks = task && matches(task, { ...filter, q: undefined }, this.#deps.clock.now()) ? [task] : [];
    return { tasks, nextCursor: null, total: tasks.length, totalExact: true, scanned: tasks.length };
  }

  /** Tasks whose name begins with `text`, whatever its case, from the index. */
  async #named(queues: readonly string[], text: string, from: string | null, limit: number) {
    const prefix = nameKey(text);
    const found = await Promise.all(
      queues.map(async (queue) => {
        const input = {
          kind: 'names' as const,
          set: 'ix:n',
          from: from === null ? `[${prefix}` : `(${from}`,
          to: `(${prefix}\u{10ffff}`,
          limit,
          previewBytes: previewOf({}),
        };
        const answer = await this.#deps.store.run(page, queue, input);
        return answer.tasks.map((raw, index) => ({ queue, raw, member: answer.members[index]?.member ?? '' }));
      }),
    );
    const merged = found
      .flat()
      .sort((a, b) => (a.member < b.member ? -1 : 1))
      .slice(0, limit);
    return {
      tasks: merged.flatMap(({ queue, raw }) => decodeTask(queue, raw) ?? []),
      next: merged.length === limit ? (merged.at(-1)?.member ?? null) : null,
    };
  }

  /** The physical queues that it is about. */
  async #queues(filter: ReadFilter): Promise<readonly string[]> {
    const names = await this.#deps.registry.physicalNames();
    const wanted = filter.queue === undefined ? null : listOf(filter.queue);
    return wanted === null ? names : names.filter((name) => wanted.includes(logicalQueue(name)));
  }

  /** The index with the fewest members that covers the filter. */
  async #plan(queues: readonly string[], filter: ReadFilter, by: string | null = null): Promise<Plan> {
    const { store } = this.#deps;
    const narrowed = FILTERS.filter((name) => filter[name] !== undefined).length + (filter.status?.length ? 1 : 0);
    const alone = narrowed === 1;
    const from = filter.until === undefined ? '' : idPrefixAt(filter.until + CLOCK_SLACK_MS);
    const to = filter.since === undefined ? '' : idPrefixAt(filter.since - CLOCK_SLACK_MS);
    const byId = (set: string) =>
      new IdDriver(
        store,
        queues.map((queue) => ({ queue, set })),
        from,
        to,
      );
    const choices: Plan[] = [];
    const { task_type, tag, owner, error, status = [] } = filter;
    if (task_type !== undefined) {
      const sources = await this.#typeSources(queues, listOf(task_type));
      choices.push({ by: 'task_type', driver: new IdDriver(store, sources, from, to), exact: alone });
    }
    if (tag !== undefined) choices.push({ by: 'tag', driver: byId(`ix:g:${escapeText(tag)}`), exact: alone });
    if (owner !== undefined) choices.push({ by: 'owner', driver: byId(`ix:o:${escapeText(owner)}`), exact: alone });
    const [first] = status;
    if (error !== undefined && status.includes('failed')) {
      const failed = await this.#byError(queues, error, from, to, narrowed === 2);
      const others = status.filter((other) => other !== 'failed').map((other) => this.#byStatus(queues, other));
      choices.push(
        others.length === 0
          ? failed
          : { by: 'error', driver: new ChainDriver([failed.driver, ...others]), exact: false },
      );
    } else if (first !== undefined && status.length === 1) {
      choices.push({ by: 'status', driver: this.#byStatus(queues, first), exact: alone });
    }
    if (choices.length === 0) {
      const all = new IdDriver(store, await this.#typeSources(queues, ['*']), from, to);
      if (by === 'all' || status.length < 2 || (by === null && (await all.total()) <= LIMITS.scanRecords))
        return { by: 'all', driver: all, exact: narrowed === 0 };
      // A few failed ones among a million that completed are not looked for one by one.
      choices.push(
        { by: 'all', driver: all, exact: false },
        { by: 'statuses', driver: new ChainDriver(status.map((one) => this.#byStatus(queues, one))), exact: alone },
      );
    }
    const chosen = choices.length === 1 ? choices[0] : choices.find((choice) => choice.by === by);
    if (chosen) return chosen;
    const sized = await Promise.all(choices.map(async (plan) => ({ plan, total: await plan.driver.total() })));
    return sized.reduce((best, choice) => (choice.total < best.total ? choice : best)).plan;
  }

  #byStatus(queues: readonly string[], status: TaskStatus): Driver {
    const sources = queues.flatMap((queue) => SETS[status].map((set) => ({ queue, set })));
    return new ScoreDriver(this.#deps.store, sources, KINDS[status]);
  }

  async #typeSources(queues: readonly string[], patterns: readonly string[]): Promise<Source[]> {
    const names = patterns.filter((pattern) => !pattern.endsWith('*'));
    const open = patterns.length > names.length;
    const sources = await Promise.all(
      queues.map(async (queue) => {
        const known = open
          ? (await this.#deps.typesOf(queue)).filter((type) => patterns.some((it) => fits(type, it)))
          : [];
        return [...new Set([...names, ...known])].map((type): Source => ({ queue, set: `ix:t:${type}` }));
      }),
    );
    return sources.flat();
  }

  /** By fingerprint from its index; by text from the groups that have it, else from all failed tasks. */
  async #byError(queues: readonly string[], error: string, from: string, to: string, alone: boolean): Promise<Plan> {
    const { store } = this.#deps;
    let fingerprints = [error];
    if (!FINGERPRINT.test(error)) {
      const text = searchText(error);
      fingerprints = (await this.#deps.errorGroups())
        .filter((group) => searchText(group.error).includes(text))
        .map((group) => group.fingerprint);
    }
    if (fingerprints.length === 0) {
      const sources = queues.map((queue) => ({ queue, set: 'failed' }));
      return { by: 'error', driver: new ScoreDriver(store, sources, 'down'), exact: false };
    }
    const sources = queues.flatMap((queue) =>
      fingerprints.map((fingerprint) => ({ queue, set: `ix:f:${fingerprint}` })),
    );
    return { by: 'error', driver: new IdDriver(store, sources, from, to), exact: alone };
  }
}

const isIn = (task: StoredTask | null, status: readonly TaskStatus[] = []): boolean =>
  task !== null && (status.length === 0 || status.includes(task.status));

/** Searches for text read payloads whole; lists only as much as they show. */
const previewOf = (filter: ReadFilter): number =>
  filter.q === undefined && filter.payload === undefined ? LIMITS.listFieldChars * 4 : LIMITS.payloadBytes;

const encodeCursor = (phase: 'names' | 'walk', at: string, by: Plan['by']): string =>
  Buffer.from(JSON.stringify({ phase, at, by })).toString('base64url');

function decodeCursor(text: string): z.infer<typeof Cursor> {
  try {
    return Cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch (cause) {
    throw notACursor(cause);
  }
}

/** The inner part of a cursor belongs to its driver: one of another filter cannot be read. */
async function walkFrom(driver: Driver, at: string | null, size: number, previewBytes: number): Promise<Walked[]> {
  try {
    return await driver.walk(at, size, previewBytes);
  } catch (error) {
    throw error instanceof SyntaxError || error instanceof z.ZodError ? notACursor(error) : error;
  }
}

function notACursor(cause: unknown): QueueError {
  const message = 'is not a cursor that this server gave out for this filter';
  return new QueueError('INVALID', `cursor ${message}`, { fields: [{ path: 'cursor', message }], cause });
}
