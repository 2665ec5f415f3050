/**
 * All that lies in Redis of one queue, read at rest, and what must be true of it whatever happened before: the rules that
 * every test of faults ends with. Costs O(everything): for tests only.
 */

import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { TaskStatus } from '#queue/contract/lifecycle';
import { type DecodedEntry, decodeEntry } from '#queue/engine/event-decoder';
import { escapeText } from '#queue/kernel/escape';
import type { Connection } from '#queue/redis/connection';
import type { Keys } from '#queue/redis/keys';
import { nameKey } from '#queue/redis/scripts/submit';
import { type ActiveLine, decodeActiveLine, decodeHistory, decodeRecord, recordFlags } from '#queue/redis/task-record';
import readAll from './read-queue.lua?raw';

/** The sets that are a status; `leases` is `processing`, `parked` a part of `pending`. */
export const PLACES = [
  'pending',
  'parked',
  'scheduled',
  'retrying',
  'blocked',
  'leases',
  'completed',
  'failed',
  'cancelled',
] as const;
export type Place = (typeof PLACES)[number];

export interface QueueSnapshot {
  /** Members with their scores, in the order of the set. */
  sets: Record<Place | 'expiring', Map<string, number>>;
  active: Map<string, ActiveLine>;
  records: Map<string, string>;
  histories: Map<string, string>;
  meta: Record<string, string>;
  /** Unique key → owner. */
  unique: Record<string, string>;
  groups: Record<string, string>;
  progress: Record<string, string>;
  /** Of blocked tasks: the parents that they wait for. */
  waits: Map<string, string[]>;
  /** Of tasks on which others depend: who asked to be told. */
  dependants: Map<string, string[]>;
  /** Lines of each log. */
  logs: Map<string, number>;
  /** Idempotency key → `first task|hash of its body`. */
  idempotent: Map<string, string>;
  /** Task type → until when somebody runs it, by the queue clock. */
  served: Map<string, number>;
  /** Line of a worker that stands by → until when, wall ms. */
  standby: Map<string, number>;
  /** Worker → until when, by the queue clock, what was handed to it must be fetched. */
  handing: Map<string, number>;
  /** Worker → what was handed to it. */
  inboxes: Map<string, string[]>;
  /** Whether a worker that blocks for work is woken. */
  awake: boolean;
  /** Words that lie there for it. */
  wakes: number;
  /** Index, without its `ix:` → members. */
  indexes: Map<string, string[]>;
  /** Entries of the stream, in order. */
  events: DecodedEntry[];
  outbox: string[];
}

const READ_SHA = createHash('sha1').update(readAll).digest('hex');

/** In one call, so that it is one moment, and cheap enough to be made after each of a million calls. */
export async function readQueue(redis: Connection, keys: Keys, queue: string): Promise<QueueSnapshot> {
  const args = [keys.meta(queue), keys.of(queue, '')] as const;
  const reply = await redis.evalsha(READ_SHA, 1, ...args).catch((error: Error) => {
    if (!error.message.startsWith('NOSCRIPT')) throw error;
    return redis.eval(readAll, 1, ...args);
  });
  const all = new Map<string, unknown>(pairsOf(Reply.parse(reply)).map(([name, value]) => [String(name), value]));
  const lines = (name: string): string[] => Lines.parse(all.get(name) ?? []);
  const hash = (name: string): Record<string, string> => Object.fromEntries(pairsOf(lines(name)));
  const scores = (name: string) => new Map(pairsOf(lines(name)).map(([id, score]) => [id, Number(score)]));
  /** What lies under each key that begins so, by the rest of its name. */
  const under = <T>(begin: string, read: (name: string) => T): Map<string, T> =>
    new Map(
      [...all.keys()].filter((name) => name.startsWith(begin)).map((name) => [name.slice(begin.length), read(name)]),
    );
  const text = (name: string) => String(all.get(name));
  return {
    sets: {
      pending: scores('pending'),
      parked: scores('parked'),
      scheduled: scores('scheduled'),
      retrying: scores('retrying'),
      blocked: scores('blocked'),
      leases: scores('leases'),
      completed: scores('completed'),
      failed: scores('failed'),
      cancelled: scores('cancelled'),
      expiring: scores('expiring'),
    },
    active: new Map(pairsOf(lines('active')).map(([id, line]) => [id, decodeActiveLine(line)])),
    records: under('t:', text),
    histories: under('h:', text),
    meta: hash('meta'),
    unique: hash('unique'),
    groups: hash('groups'),
    progress: hash('progress'),
    waits: under('waits:', lines),
    dependants: under('deps:', lines),
    logs: under('log:', (name) => lines(name).length),
    idempotent: under('i:', text),
    served: new Map(pairsOf(lines('served')).map(([type, until]) => [type, Number(until)])),
    standby: scores('standby'),
    handing: scores('handing'),
    inboxes: under('handed:', lines),
    awake: lines('wake').length > 0,
    wakes: lines('wake').length,
    indexes: under('ix:', (name) => [...scores(name).keys()]),
    events: Entries.parse(all.get('events') ?? []).map(([id, fields]) => decodeEntry(queue, id, fields)),
    outbox: lines('outbox'),
  };
}

const Reply = z.array(z.unknown());
const Lines = z.array(z.string());
const Entries = z.array(z.tuple([z.string(), Lines]));

function pairsOf<T>(flat: readonly T[]): [T, T][] {
  const pairs: [T, T][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) pairs.push([flat[i] as T, flat[i + 1] as T]);
  return pairs;
}

const STATUS_OF: Record<Place, TaskStatus> = {
  pending: 'pending',
  parked: 'pending',
  scheduled: 'scheduled',
  retrying: 'retrying',
  blocked: 'blocked',
  leases: 'processing',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
};
const FINAL = new Set<Place>(['completed', 'failed', 'cancelled']);

/** @returns a sentence for each rule that is broken; empty where all is well */
export function violations(queue: QueueSnapshot): string[] {
  const wrong: string[] = [];
  const placeOf = new Map<string, Place>();
  for (const place of PLACES)
    for (const id of queue.sets[place].keys()) {
      const other = placeOf.get(id);
      if (other !== undefined) wrong.push(`${id} is in ${other} and in ${place}`);
      placeOf.set(id, place);
      if (!queue.records.has(id)) wrong.push(`${id} in ${place} has no record`);
    }
  const expect = (what: string, found: Iterable<string>, wanted: Iterable<string>) => {
    const [a, b] = [new Set(found), new Set(wanted)];
    for (const one of a) if (!b.has(one)) wrong.push(`${what} has ${one}, which it should not`);
    for (const one of b) if (!a.has(one)) wrong.push(`${what} lacks ${one}`);
  };
  expect('active', queue.active.keys(), queue.sets.leases.keys());
  for (const id of Object.keys(queue.progress))
    if (!queue.active.has(id)) wrong.push(`progress of ${id}, which does not run`);
  for (const id of queue.histories.keys())
    if (!queue.records.has(id)) wrong.push(`history of ${id} without its record`);
  for (const id of queue.logs.keys()) if (!queue.records.has(id)) wrong.push(`log of ${id} without its record`);
  for (const { attempt, maxAttempts, token } of queue.active.values())
    if (attempt > maxAttempts) wrong.push(`${token} is attempt ${attempt} of ${maxAttempts}`);

  expect('waits', queue.waits.keys(), queue.sets.blocked.keys());

  const wanted = new Map<string, string[]>();
  const index = (name: string, member: string) => wanted.set(name, [...(wanted.get(name) ?? []), member]);
  const owners: Record<string, string> = Object.create(null); // a key may be called `constructor`
  const expiring: string[] = [];
  let bytes = 0;
  for (const [id, raw] of queue.records) {
    const place = placeOf.get(id);
    if (place === undefined) {
      wrong.push(`${id} has a record and no status`);
      continue;
    }
    bytes += Buffer.byteLength(raw) + Buffer.byteLength(queue.histories.get(id) ?? '');
    const task = decodeRecord(raw);
    const flags = recordFlags(raw);
    if (task.attemptsEnded > task.maxAttempts) wrong.push(`${id} had ${task.attemptsEnded} of ${task.maxAttempts}`);
    index(`t:${task.type}`, id);
    for (const tag of task.tags) index(`g:${escapeText(tag)}`, id);
    if (task.owner !== null) index(`o:${escapeText(task.owner)}`, id);
    if (task.name !== null) index('n', `${nameKey(task.name)}|${id}`);
    if (place === 'failed') index(`f:${raw.slice(4, 12)}`, id);
    if (task.uniqueKey !== null && (flags & 1) !== 0 && !FINAL.has(place)) {
      const key = escapeText(task.uniqueKey);
      if (owners[key] !== undefined) wrong.push(`${key} has two owners`);
      owners[key] = id;
    }
    if ((flags & 2) !== 0 && !FINAL.has(place) && place !== 'leases') expiring.push(id);
    wrong.push(...historyFaults(id, queue.histories.get(id) ?? '', (flags & 8) !== 0));
  }
  for (const name of new Set([...queue.indexes.keys(), ...wanted.keys()]))
    expect(`index ${name}`, queue.indexes.get(name) ?? [], wanted.get(name) ?? []);
  expect('expiring', queue.sets.expiring.keys(), expiring);
  const asLines = (map: Record<string, string>) => Object.entries(map).map(([key, id]) => `${key} of ${id}`);
  expect('unique', asLines(queue.unique), asLines(owners));
  const failing = [...wanted.keys()].filter((name) => name.startsWith('f:')).map((name) => name.slice(2));
  expect('groups', Object.keys(queue.groups), failing);
  if (bytes !== Number(queue.meta.bytes ?? 0)) wrong.push(`bytes are ${bytes}, and told as ${queue.meta.bytes}`);

  const [last, due] = [
    queue.events.at(-1),
    Math.min(...queue.sets.scheduled.values(), ...queue.sets.retrying.values()),
  ];
  if (due < Number(queue.meta.due ?? Number.POSITIVE_INFINITY))
    wrong.push(`something is due at ${due}, looked at ${queue.meta.due}`);
  if (queue.wakes > 1) wrong.push(`${queue.wakes} words lie there to wake one worker`);
  for (const [n, { number, changes }] of queue.events.entries()) {
    if (changes.length === 0) wrong.push(`an entry of the stream at ${number} says nothing`);
    const wanted = queue.events[n - 1]?.next ?? number;
    if (number !== wanted) wrong.push(`event ${wanted} is missing: the next entry begins at ${number}`);
  }
  if (queue.records.size > 0 && queue.meta.schema !== '1') wrong.push(`the layout is called ${queue.meta.schema}`);
  if (last && last.next !== Number(queue.meta.events)) wrong.push(`${queue.meta.events} events, not ${last.next}`);
  const told = new Map(queue.events.flatMap(({ changes }) => changes.map((change) => [change.id, change] as const)));
  for (const [id, { event, status, maxRetries }] of told) {
    const place = placeOf.get(id);
    if (event === 'updated' && maxRetries !== decodeRecord(queue.records.get(id) ?? '').maxRetries)
      wrong.push(`${id} was told to have ${maxRetries} retries`);
    if (event === 'removed' ? place !== undefined : place === undefined || status !== STATUS_OF[place])
      wrong.push(`the last event of ${id} is ${event}, ${status}; it is in ${place}`);
  }
  return wrong;
}

/** Attempts follow each other, and no two ended under one token. */
function historyFaults(id: string, text: string, flagged: boolean): string[] {
  const wrong: string[] = [];
  const segments = decodeHistory(text);
  const completed = segments.filter(({ kind }) => kind === 'C').length;
  if (completed > 1) wrong.push(`${id} completed ${completed} times`);
  const tokens = segments.map(({ token }) => token.replace(/^!/, '')).filter((token) => token !== '');
  if (new Set(tokens).size !== tokens.length) wrong.push(`${id} ended twice under one token`);
  if (completed === 0 && flagged !== text.length > 0) wrong.push(`${id} says ${flagged} of its history`);
  return wrong;
}
