/**
 * Every key that the engine owns is built here, or in the scripts from the queue's `meta` key.
 * `{queue}` is a cluster hash tag: all keys of one queue share a slot, so one script may touch them together.
 * Types, contents and lifetimes: docs/redis-layout.md.
 */
import { escapeText } from '../kernel/escape';

export interface Keys {
  /** HASH; every script gets it as KEYS[1] and derives the queue's other keys from it. */
  meta(queue: string): string;
  /** LIST, 0 or 1 element: wakes one idle worker. */
  wake(queue: string): string;
  /** LIST of tasks that were handed to a worker while it stood by. */
  handed(queue: string, workerId: string): string;
  /** STREAM of transitions. */
  events(queue: string): string;
  /** LIST of JSON log lines, until the task is removed. */
  log(queue: string, id: string): string;
  /** HASH fingerprint → group of the dead-letter queue. */
  groups(queue: string): string;
  /** ZSET of ids in the dead-letter queue with this fingerprint. */
  failuresOf(queue: string, fingerprint: string): string;
  /** ZSET of ids of tasks that have this tag. */
  tagged(queue: string, tag: string): string;
  /** SET of task types ever seen in the queue. */
  types(queue: string): string;
  /** SET of unfinished parents of a blocked task. */
  waits(queue: string, id: string): string;
  /** Any key below the queue's prefix. */
  of(queue: string, name: string): string;
  /** What belongs to no queue, in one slot of its own. */
  system(name: string): string;
}

/** What Redis must call the keys that each queue has once, by name. */
export const KEY_TYPES: Readonly<Record<string, 'hash' | 'list' | 'set' | 'stream' | 'zset'>> = {
  meta: 'hash',
  pending: 'zset',
  parked: 'zset',
  scheduled: 'zset',
  retrying: 'zset',
  blocked: 'zset',
  leases: 'zset',
  completed: 'zset',
  failed: 'zset',
  cancelled: 'zset',
  expiring: 'zset',
  standby: 'zset',
  handing: 'zset',
  'ix:n': 'zset',
  active: 'hash',
  progress: 'hash',
  unique: 'hash',
  groups: 'hash',
  served: 'hash',
  types: 'set',
  events: 'stream',
  wake: 'list',
  outbox: 'list',
};

/** Stands where a queue's name stands, and can be none: those begin with a letter or a digit. */
export const SYSTEM = '_sys';

export const createKeys = (prefix: string): Keys => {
  const of = (queue: string, name: string) => `${prefix}:{${queue}}:${name}`;
  return {
    of,
    meta: (queue) => of(queue, 'meta'),
    wake: (queue) => of(queue, 'wake'),
    handed: (queue, workerId) => of(queue, `handed:${workerId}`),
    events: (queue) => of(queue, 'events'),
    log: (queue, id) => of(queue, `log:${id}`),
    groups: (queue) => of(queue, 'groups'),
    failuresOf: (queue, fingerprint) => of(queue, `ix:f:${fingerprint}`),
    tagged: (queue, tag) => of(queue, `ix:g:${escapeText(tag)}`),
    types: (queue) => of(queue, 'types'),
    waits: (queue, id) => of(queue, `waits:${id}`),
    system: (name) => of(SYSTEM, name),
  };
};
