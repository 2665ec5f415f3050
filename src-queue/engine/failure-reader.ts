/**
 * Failure groups with what makes them recognisable: when their tasks failed, where in the program, and what the tasks
 * have in common. All of it from the newest members, within bounds: a group of a million tasks costs what one of a
 * few thousand costs.
 */
import type { FailureGroup, FailureGroupDetail, StackFrame } from '../contract/failure';
import { LIMITS } from '../contract/limits';
import { isoTime, type JsonValue } from '../contract/primitives';
import { eachFrame, stackFrames, topFrame } from '../contract/stack-frames';
import { mapEntry } from '../kernel/map-entry';
import { logicalQueues } from '../kernel/shard-name';
import { sharedMessage } from '../kernel/varying-text';
import { type GroupsInput, groups } from '../redis/scripts/groups';
import { latest } from '../redis/scripts/latest';
import { page } from '../redis/scripts/page';
import { read } from '../redis/scripts/read';
import type { RedisStore } from '../redis/store';
import { comparePayloads } from './payload-compare';
import type { ErrorGroup, StoredTask } from './ports';
import { decodeTask, lastErrorOf } from './task-decoder';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Holds the longest error as JSON, and the segment around it. */
const TAIL_BYTES = 2 * LIMITS.errorStackLength;
const READ_CHUNK = 25;
/** Of one payload; a longer one is not compared. */
const PREVIEW_BYTES = 64 * 1024;

/** Hosts are known to the worker directory: the server adds them. */
export type GroupFacts = Omit<FailureGroupDetail, 'workers'> & { workers: { worker_id: string; count: number }[] };

interface Seen {
  from: number;
  counts: number[];
  sampled: number;
  /** Ends of histories, of the newest and the oldest member in each queue, the newest first. */
  tails: string[];
}

export class FailureReader {
  readonly #store: RedisStore;
  readonly #errorGroups: () => Promise<ErrorGroup[]>;

  constructor(store: RedisStore, errorGroups: () => Promise<ErrorGroup[]>) {
    this.#store = store;
    this.#errorGroups = errorGroups;
  }

  /** Largest first. */
  async list(): Promise<FailureGroup[]> {
    const all = await this.#errorGroups();
    const charted = all.slice(0, LIMITS.groupsCharted);
    const look = { sample: LIMITS.groupListSample, stepMs: HOUR_MS, steps: 24, tailBytes: TAIL_BYTES };
    const found = await this.#look(charted, look);
    return all.map((group) => {
      const seen = found.get(group.fingerprint);
      const errors = seen?.tails.flatMap((tail) => lastErrorOf(tail) ?? []) ?? [];
      const [frame] = errors.flatMap(({ stack }) => topFrame(eachFrame(stack)) ?? []);
      return { ...shown(group, errors, frame ?? null), series_24h: seen?.counts ?? null, sampled: seen?.sampled ?? 0 };
    });
  }

  /** @returns null where the dead-letter queue has no such failure */
  async one(fingerprint: string): Promise<GroupFacts | null> {
    const group = (await this.#errorGroups()).find((candidate) => candidate.fingerprint === fingerprint);
    if (!group) return null;
    const look = { sample: LIMITS.groupSample, tailBytes: 0 };
    const [minutes, hours, tasks, last_success] = await Promise.all([
      this.#look([group], { ...look, stepMs: MINUTE_MS, steps: 30 }),
      this.#look([group], { ...look, stepMs: HOUR_MS, steps: 24 }),
      this.#newest(group),
      this.#lastSuccess(group),
    ]);
    const stacks = tasks.map((task) => stackFrames(task.error?.stack ?? null));
    const [stack = []] = stacks;
    const top = topFrame(stack);
    const payloads = tasks.flatMap(({ payload }): JsonValue[] => (payload === null ? [] : [JSON.parse(payload)]));
    const series = (of: ReadonlyMap<string, Seen>, stepMs: number) => ({
      from: isoTime(of.get(fingerprint)?.from ?? 0),
      step: stepMs / 1000,
      counts: of.get(fingerprint)?.counts ?? [],
    });
    return {
      ...shown(
        group,
        tasks.flatMap(({ error }) => error ?? []),
        top,
      ),
      series: {
        minutes: series(minutes, MINUTE_MS),
        hours: series(hours, HOUR_MS),
        sampled: hours.get(fingerprint)?.sampled ?? 0,
      },
      compared: tasks.length,
      workers: tally(tasks.flatMap(({ workerId }) => workerId ?? [])).map(([worker_id, count]) => ({
        worker_id,
        count,
      })),
      attempts: tally(tasks.map(({ attempts, maxRetries }) => `${attempts}/${maxRetries + 1}`)).map(([text, count]) => {
        const [attempts = 0, most = 0] = text.split('/').map(Number);
        return { attempts, most, count };
      }),
      stack,
      stacks_equal: stacks.filter((frames) => placeOf(topFrame(frames)) === placeOf(top)).length,
      payload: comparePayloads(payloads),
      payloads: payloads.length,
      last_success,
    };
  }

  /** By fingerprint, summed over the queues. */
  async #look(all: readonly ErrorGroup[], look: Omit<GroupsInput, 'fingerprints'>): Promise<Map<string, Seen>> {
    const byQueue = new Map<string, string[]>();
    for (const { fingerprint, queues } of all)
      for (const queue of queues) mapEntry(byQueue, queue, () => []).push(fingerprint);
    const found = new Map<string, Seen>();
    await Promise.all(
      [...byQueue].map(async ([queue, fingerprints]) => {
        const answer = await this.#store.run(groups, queue, { ...look, fingerprints });
        answer.groups.forEach(({ counts, sampled, tails }, index) => {
          const empty = { from: answer.from, counts: counts.map(() => 0), sampled: 0, tails: [] };
          const sum = mapEntry(found, fingerprints[index] ?? '', () => empty);
          sum.counts = sum.counts.map((count, step) => count + (counts[step] ?? 0));
          sum.sampled += sampled;
          sum.tails.push(...tails);
        });
      }),
    );
    return found;
  }

  /** The newest members, newest first, as far as the bytes go. */
  async #newest({ fingerprint, queues }: ErrorGroup): Promise<StoredTask[]> {
    const ids = await Promise.all(
      queues.map(async (queue) => {
        const input = { kind: 'lex' as const, set: `ix:f:${fingerprint}`, from: '', to: '', previewBytes: -1 };
        const { members } = await this.#store.run(page, queue, { ...input, limit: LIMITS.groupCompared });
        return members.map(({ member }) => ({ queue, id: member }));
      }),
    );
    const newest = ids
      .flat()
      .sort((a, b) => (a.id < b.id ? 1 : -1))
      .slice(0, LIMITS.groupCompared);
    const tasks: StoredTask[] = [];
    let bytes = 0;
    for (let from = 0; from < newest.length && bytes < LIMITS.groupComparedBytes; from += READ_CHUNK) {
      const chunk = newest.slice(from, from + READ_CHUNK);
      for (const queue of new Set(chunk.map((member) => member.queue))) {
        const wanted = chunk.filter((member) => member.queue === queue).map(({ id }) => id);
        for (const raw of await this.#store.run(read, queue, { ids: wanted, previewBytes: PREVIEW_BYTES })) {
          bytes += Buffer.byteLength(raw.record) + Buffer.byteLength(raw.history);
          const task = decodeTask(queue, raw);
          if (task) tasks.push(task);
        }
      }
    }
    return tasks.sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  async #lastSuccess({ type, queues }: ErrorGroup): Promise<FailureGroupDetail['last_success']> {
    const found = await Promise.all(
      queues.map((queue) => this.#store.run(latest, queue, { type, most: LIMITS.lastSuccessScan })),
    );
    const [newest] = found.filter((task) => task !== null).sort((a, b) => b.finishedAt - a.finishedAt);
    return newest ? { id: newest.id, finished_at: isoTime(newest.finishedAt) } : null;
  }
}

const placeOf = (frame: StackFrame | null): string => `${frame?.function} ${frame?.file} ${frame?.line}`;

/** Most frequent first. */
function tally(values: readonly string[]): [value: string, count: number][] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}

/** @param errors of its members, the newest first; the group itself keeps no message where no handler ran */
function shown(
  { type, firstAt, lastAt, sampleIds, error, queues, ...same }: ErrorGroup,
  errors: readonly { name: string; message: string }[],
  frame: StackFrame | null,
) {
  const [name = '', kept] = error.split(/: (.*)/s);
  const messages = errors.map(({ message }) => message);
  const newest = kept ?? messages[0]?.slice(0, LIMITS.groupMessageChars);
  return {
    ...same,
    queues: logicalQueues(queues),
    error: newest ? `${name}: ${newest}` : name,
    message: sharedMessage(messages.length > 0 ? messages : [kept ?? '']).slice(0, LIMITS.groupMessageChars),
    top_frame: frame,
    task_type: type,
    first_at: isoTime(firstAt),
    last_at: isoTime(lastAt),
    sample_ids: sampleIds,
  };
}
