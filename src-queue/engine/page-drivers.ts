/**
 * Ways to walk through tasks page by page. Each walks sets of several queues at once and remembers where it is in
 * its cursor, so that a page costs what it returns, however deep it lies and however many queues there are.
 */
import { z } from 'zod';
import { mapEntry } from '../kernel/map-entry';
import { type PageKind, page } from '../redis/scripts/page';
import { type RawTask, read } from '../redis/scripts/read';
import type { RedisStore } from '../redis/store';

export interface Source {
  queue: string;
  /** Below the queue's prefix. */
  set: string;
}

export interface Walked {
  queue: string;
  raw: RawTask;
  /** Goes on after this task. */
  cursor: string;
}

export interface Driver {
  /** Members of all sources; an upper bound of what a filter finds. */
  total(): Promise<number>;
  /** The next tasks, in order; fewer than `limit` only at the end. `previewBytes` -1 reads ids only. */
  walk(cursor: string | null, limit: number, previewBytes: number): Promise<Walked[]>;
}

const bare = (id: string, score: number): RawTask => ({
  id,
  state: '',
  score,
  record: '',
  recordBytes: 0,
  activeLine: '',
  history: '',
  progress: '',
});

function tasksOf(answer: { members: { member: string; score: number }[]; tasks: RawTask[] }): RawTask[] {
  return answer.tasks.length > 0 ? answer.tasks : answer.members.map(({ member, score }) => bare(member, score));
}

const IDS_ONLY = -1;
/** Tasks that one script reads: Redis answers nobody else meanwhile. */
const READ_CHUNK = 100;

/**
 * What each source is asked for: of several only the ids, because each has to offer a whole page, and of those most are
 * not needed. One source alone is spared the second way.
 */
const offered = (sources: readonly Source[], previewBytes: number) => (sources.length > 1 ? IDS_ONLY : previewBytes);

/** The tasks of a page of which only ids are known. One that was removed meanwhile has no record. */
async function filled(store: RedisStore, page: readonly Walked[], previewBytes: number): Promise<Walked[]> {
  const ids = new Map<string, string[]>();
  for (const { queue, raw } of page) mapEntry(ids, queue, () => []).push(raw.id);
  const chunks = [...ids].flatMap(([queue, all]) => inParts(all, READ_CHUNK).map((some) => ({ queue, ids: some })));
  const raws = await Promise.all(
    chunks.map(({ queue, ids: some }) => store.run(read, queue, { ids: some, previewBytes })),
  );
  const byId = new Map(raws.flat().map((raw) => [raw.id, raw]));
  return page.map((walked) => ({ ...walked, raw: byId.get(walked.raw.id) ?? walked.raw }));
}

/** Indexes by id: newest first by creation. The cursor is the last id. */
export class IdDriver implements Driver {
  readonly #store: RedisStore;
  readonly #sources: readonly Source[];
  readonly #from: string;
  readonly #to: string;

  /** `from` and `to`: prefixes of ids, exclusive upper and inclusive lower bound, '' for none. */
  constructor(store: RedisStore, sources: readonly Source[], from: string, to: string) {
    this.#store = store;
    this.#sources = sources;
    this.#from = from;
    this.#to = to;
  }

  async total(): Promise<number> {
    const [min, max] = [this.#to === '' ? '-' : `[${this.#to}`, this.#from === '' ? '+' : `(${this.#from}`];
    const counts = await this.#store.command('count', (redis) =>
      Promise.all(this.#sources.map(({ queue, set }) => redis.zlexcount(this.#store.keys.of(queue, set), min, max))),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async walk(cursor: string | null, limit: number, previewBytes: number): Promise<Walked[]> {
    const bounds = { from: cursor ?? this.#from, to: this.#to, limit };
    const lists = listsOf(this.#sources);
    const shown = offered(lists, previewBytes);
    const pages = await Promise.all(
      lists.map(async ({ queue, set }) => {
        const input = { kind: 'lex' as const, set, ...bounds, previewBytes: shown };
        return tasksOf(await this.#store.run(page, queue, input)).map((raw) => ({ queue, raw, cursor: raw.id }));
      }),
    );
    if (pages.length === 1) return pages[0] ?? [];
    const merged = pages
      .flat()
      .sort((a, b) => (a.raw.id < b.raw.id ? 1 : -1))
      .slice(0, limit);
    return shown === previewBytes ? merged : filled(this.#store, merged, previewBytes);
  }
}

/** Sets that one script merges at most: Redis answers nobody else meanwhile. */
const MERGED_SETS = 100;

/** Sources with the sets of one queue joined, as page.lua takes them. */
function listsOf(sources: readonly Source[]): Source[] {
  const sets = new Map<string, string[]>();
  for (const { queue, set } of sources) mapEntry(sets, queue, () => []).push(set);
  return [...sets].flatMap(([queue, all]) => inParts(all, MERGED_SETS).map((some) => ({ queue, set: some.join(',') })));
}

const inParts = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, n) => list.slice(n * size, (n + 1) * size));

/** Where a score walk is in one source: the score reached, and how many members of this score were seen. */
const ScoreCursor = z.record(z.string(), z.tuple([z.number(), z.int().min(0)]));

/** Sets by score, several queues merged by it. */
export class ScoreDriver implements Driver {
  readonly #store: RedisStore;
  readonly #sources: readonly Source[];
  readonly #kind: Exclude<PageKind, 'lex' | 'names'>;

  constructor(store: RedisStore, sources: readonly Source[], kind: Exclude<PageKind, 'lex' | 'names'>) {
    this.#store = store;
    this.#sources = sources;
    this.#kind = kind;
  }

  async total(): Promise<number> {
    const counts = await this.#store.command('count', (redis) =>
      Promise.all(this.#sources.map(({ queue, set }) => redis.zcard(this.#store.keys.of(queue, set)))),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async walk(cursor: string | null, limit: number, previewBytes: number): Promise<Walked[]> {
    const at = new Map(cursor === null ? [] : Object.entries(ScoreCursor.parse(JSON.parse(cursor))));
    const kind = this.#kind;
    const sources = this.#sources.filter(({ set }) => set !== 'parked'); // walked together with `pending`
    const pages = await Promise.all(
      sources.map(async ({ queue, set }) => {
        const [from, skip] = at.get(queue) ?? ['', 0];
        const input = {
          kind,
          set,
          from: String(from),
          to: '',
          limit,
          previewBytes: offered(sources, previewBytes),
          skip: kind === 'pending' ? 0 : skip,
        };
        const answer = await this.#store.run(page, queue, input);
        return tasksOf(answer).map((raw, index) => ({ queue, raw, score: answer.members[index]?.score ?? 0 }));
      }),
    );
    const sign = kind === 'up' ? 1 : -1;
    // Sequence numbers of two queues say nothing about each other: pending tasks are merged by creation.
    const order = (task: { raw: RawTask; score: number }) => (kind === 'pending' ? task.raw.id : task.score);
    const first = (a: Scored, b: Scored): number => {
      const [x, y] = [order(a), order(b)];
      if (x !== y) return (x < y ? -1 : 1) * sign;
      return (a.raw.id < b.raw.id ? -1 : 1) * sign;
    };
    const merged = mergeInOrder(pages, first, limit);
    const position = new Map(at);
    const walked = merged.map(({ queue, raw, score }) => {
      const [seenScore, seen] = position.get(queue) ?? [null, 0];
      position.set(queue, [score, seenScore === score ? seen + 1 : 1]);
      return { queue, raw, cursor: JSON.stringify(Object.fromEntries(position)) };
    });
    return offered(sources, previewBytes) === previewBytes ? walked : filled(this.#store, walked, previewBytes);
  }
}

const ChainCursor = z.strictObject({ part: z.int().min(0), at: z.string().nullable() });

/** Other drivers, one after the other. */
export class ChainDriver implements Driver {
  readonly #parts: readonly Driver[];

  constructor(parts: readonly Driver[]) {
    this.#parts = parts;
  }

  async total(): Promise<number> {
    const totals = await Promise.all(this.#parts.map((part) => part.total()));
    return totals.reduce((sum, total) => sum + total, 0);
  }

  async walk(cursor: string | null, limit: number, previewBytes: number): Promise<Walked[]> {
    let { part, at } = cursor === null ? { part: 0, at: null } : ChainCursor.parse(JSON.parse(cursor));
    const walked: Walked[] = [];
    for (; part < this.#parts.length && walked.length < limit; part++, at = null) {
      const found = (await this.#parts[part]?.walk(at, limit - walked.length, previewBytes)) ?? [];
      for (const task of found) walked.push({ ...task, cursor: JSON.stringify({ part, at: task.cursor }) });
    }
    return walked;
  }
}

interface Scored {
  queue: string;
  raw: RawTask;
  score: number;
}

/** The first `limit` of several lists, each of which keeps its own order: the cursor of a list depends on it. */
function mergeInOrder(
  lists: readonly (readonly Scored[])[],
  first: (a: Scored, b: Scored) => number,
  limit: number,
): Scored[] {
  const heads = lists.map((list) => ({ list, next: 0 }));
  const merged: Scored[] = [];
  while (merged.length < limit) {
    let best: { from: (typeof heads)[number]; task: Scored } | null = null;
    for (const from of heads) {
      const task = from.list[from.next];
      if (task && (best === null || first(task, best.task) < 0)) best = { from, task };
    }
    if (best === null) break;
    merged.push(best.task);
    best.from.next++;
  }
  return merged;
}
