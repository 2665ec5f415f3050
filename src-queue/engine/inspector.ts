/** Everything that only reads: tasks, histories, logs, lists, queues, failure groups. */
import { z } from 'zod';
import { LIMITS } from '../contract/limits';
import { LOG_LEVELS } from '../contract/task';
import type { Clock } from '../kernel/clock';
import { unescapeText } from '../kernel/escape';
import { logicalQueues } from '../kernel/shard-name';
import { type RawTask, read } from '../redis/scripts/read';
import { type StateAnswer, state } from '../redis/scripts/state';
import { type PendingTypes, types } from '../redis/scripts/types';
import type { RedisStore } from '../redis/store';
import { decodeRecord } from '../redis/task-record';
import { FailureReader } from './failure-reader';
import type {
  ErrorGroup,
  HistoryItem,
  QueueState,
  ReadFilter,
  ReadPage,
  StoredTask,
  TaskReader,
  WaitFacts,
} from './ports';
import type { QueueRegistry } from './queue-registry';
import { joinStates } from './shard-limits';
import { Suggestions } from './suggestions';
import { decodeTask, decodeTransitions } from './task-decoder';
import { TaskSearch } from './task-search';

const LogLine = z.object({ at: z.number(), level: z.enum(LOG_LEVELS), message: z.string(), attempt: z.number() });
const SAMPLES = 3;
const READ_CHUNK = 100;

export class Inspector implements TaskReader {
  readonly #store: RedisStore;
  readonly #registry: QueueRegistry;
  readonly #search: TaskSearch;
  readonly #failures: FailureReader;
  readonly #suggestions: Suggestions;

  constructor(store: RedisStore, registry: QueueRegistry, clock: Pick<Clock, 'now'>) {
    this.#store = store;
    this.#registry = registry;
    this.#failures = new FailureReader(store, () => this.#groups());
    this.#suggestions = new Suggestions({
      store,
      queues: () => registry.physicalNames(),
      typesOf: (queue) => this.#typesOf(queue),
      states: () => this.queueStates(),
      errorGroups: () => this.errorGroups(),
    });
    this.#search = new TaskSearch({
      store,
      registry,
      clock,
      errorGroups: () => this.errorGroups(),
      typesOf: (queue) => this.#typesOf(queue),
    });
  }

  async queueNames(): Promise<string[]> {
    return [...(await this.#registry.names())];
  }

  async getTasks(ids: readonly string[], { full = true }: { full?: boolean } = {}): Promise<(StoredTask | null)[]> {
    const found = new Map<string, StoredTask>();
    for (const [queue, group] of await this.#registry.locate(ids)) {
      for (let from = 0; from < group.length; from += READ_CHUNK) {
        const chunk = group.slice(from, from + READ_CHUNK);
        const raws = await this.#store.run(read, queue, {
          ids: chunk,
          previewBytes: full ? 0 : LIMITS.listFieldChars * 4,
        });
        for (const raw of raws) {
          const task = decodeTask(queue, raw);
          if (task) found.set(raw.id, task);
        }
      }
    }
    return ids.map((id) => found.get(id) ?? null);
  }

  listTasks(filter: ReadFilter, page: { limit: number; cursor: string | null }): Promise<ReadPage> {
    return this.#search.list(filter, page);
  }

  listIds(filter: ReadFilter, limit: number): Promise<string[]> {
    return this.#search.ids(filter, limit);
  }

  async history(id: string): Promise<HistoryItem[] | null> {
    const found = await this.#raw(id);
    return found && decodeTransitions(found.raw);
  }

  async logs(id: string): ReturnType<TaskReader['logs']> {
    const found = await this.#raw(id);
    if (!found) return null;
    const lines = await this.#store.command('read logs', (redis) =>
      redis.lrange(this.#store.keys.log(found.queue, id), 0, -1),
    );
    return lines.flatMap((line) => {
      const parsed = LogLine.safeParse(JSON.parse(line));
      return parsed.success ? [parsed.data] : [];
    });
  }

  async waitFacts(id: string): Promise<WaitFacts | null> {
    const found = await this.#raw(id);
    const task = found && decodeTask(found.queue, found.raw);
    if (!found || !task) return null;
    const answer = await this.#store.run(state, found.queue, { id });
    const waitsFor =
      task.status === 'blocked'
        ? await this.#store.command('read dependencies', (redis) =>
            redis.smembers(this.#store.keys.waits(found.queue, id)),
          )
        : [];
    return {
      task,
      queue: joinStates(task.queue, [answer]), // of its shard: that is what holds it
      position: task.status === 'pending' ? answer.position : null,
      rateLimitedUntil: answer.rateLimitedForMs > 0 ? answer.now + answer.rateLimitedForMs : null,
      waitsFor: waitsFor.sort(),
    };
  }

  async queueState(queue: string): Promise<QueueState | null> {
    const known = (await this.#registry.shardsByQueue()).get(queue);
    const answers = await this.#states(known ?? [queue]);
    return known !== undefined || answers.some(({ exists }) => exists) ? joinStates(queue, answers) : null;
  }

  async queueStates(): Promise<QueueState[]> {
    const shards = await this.#registry.shardsByQueue();
    return Promise.all([...shards].map(async ([queue, names]) => joinStates(queue, await this.#states(names))));
  }

  #states(shards: readonly string[]): Promise<StateAnswer[]> {
    return Promise.all(shards.map((shard) => this.#store.run(state, shard, { id: null })));
  }

  async pendingTypes(queue: string): ReturnType<TaskReader['pendingTypes']> {
    const shards = await this.#registry.shardsOf(queue);
    const found = await Promise.all(shards.map((shard) => this.#store.run(types, shard, null)));
    const byType = new Map<string, number>();
    for (const [type, count] of found.flatMap((one) => [...one.byType])) {
      byType.set(type, (byType.get(type) ?? 0) + count);
    }
    const sum = (of: (one: PendingTypes) => number) => found.reduce((total, one) => total + of(one), 0);
    return { total: sum((one) => one.total), sampled: sum((one) => one.sampled), byType };
  }

  async errorGroups(): Promise<ErrorGroup[]> {
    return (await this.#groups()).map((group) => ({ ...group, queues: logicalQueues(group.queues) }));
  }

  /** With the physical queues that have them. */
  async #groups(): Promise<ErrorGroup[]> {
    const groups = new Map<string, ErrorGroup>();
    for (const queue of await this.#registry.physicalNames()) {
      for (const group of await this.#groupsOf(queue)) {
        const known = groups.get(group.fingerprint);
        if (known) merge(known, group);
        else groups.set(group.fingerprint, group);
      }
    }
    return [...groups.values()].sort((a, b) => b.count - a.count || b.lastAt - a.lastAt);
  }

  async errorGroupCount(): Promise<number> {
    const { keys } = this.#store;
    const names = await this.#registry.physicalNames();
    const counts = await this.#store.command('count failure groups', (redis) =>
      Promise.all(names.map((queue) => redis.hlen(keys.groups(queue)))),
    );
    const queues = names.filter((_, n) => (counts[n] ?? 0) > 0);
    if (queues.length < 2) return counts.reduce((sum, count) => sum + count, 0);
    // One cause may fail tasks of several queues.
    const fingerprints = await this.#store.command('count failure groups', (redis) =>
      Promise.all(queues.map((queue) => redis.hkeys(keys.groups(queue)))),
    );
    return new Set(fingerprints.flat()).size;
  }

  failureGroups(): ReturnType<TaskReader['failureGroups']> {
    return this.#failures.list();
  }

  failureGroup(fingerprint: string): ReturnType<TaskReader['failureGroup']> {
    return this.#failures.one(fingerprint);
  }

  suggest(...asked: Parameters<TaskReader['suggest']>): ReturnType<TaskReader['suggest']> {
    return this.#suggestions.of(...asked);
  }

  async taskTypes(): Promise<string[]> {
    const names = await this.#registry.physicalNames();
    const types = await Promise.all(names.map((queue) => this.#typesOf(queue)));
    return [...new Set(types.flat())].sort();
  }

  #typesOf(queue: string): Promise<string[]> {
    return this.#store.command('list types', (redis) => redis.smembers(this.#store.keys.types(queue)));
  }

  async #groupsOf(queue: string): Promise<ErrorGroup[]> {
    const { keys } = this.#store;
    const lines = await this.#store.command('list failure groups', (redis) => redis.hgetall(keys.groups(queue)));
    return Promise.all(
      Object.entries(lines).map(async ([fingerprint, line]): Promise<ErrorGroup> => {
        const [first, last, type = '', error = ''] = line.split('|');
        const key = keys.failuresOf(queue, fingerprint);
        const [count, sampleIds] = await this.#store.command('read failure group', (redis) =>
          Promise.all([redis.zcard(key), redis.zrevrange(key, 0, SAMPLES - 1)]),
        );
        return {
          fingerprint,
          error: unescapeText(error),
          type,
          queues: [queue],
          count,
          firstAt: Number(first),
          lastAt: Number(last),
          sampleIds,
        };
      }),
    );
  }

  async #raw(id: string): Promise<{ queue: string; raw: RawTask } | null> {
    const [queue] = (await this.#registry.locate([id])).keys();
    if (queue === undefined) return null;
    const [raw] = await this.#store.run(read, queue, { ids: [id], previewBytes: 0 });
    return raw && raw.record !== '' && decodeRecord(raw.record).type !== '' ? { queue, raw } : null;
  }
}

function merge(known: ErrorGroup, more: ErrorGroup): void {
  known.queues = [...known.queues, ...more.queues];
  known.count += more.count;
  known.firstAt = Math.min(known.firstAt, more.firstAt);
  known.lastAt = Math.max(known.lastAt, more.lastAt);
  known.sampleIds = [...known.sampleIds, ...more.sampleIds].slice(0, SAMPLES);
}
