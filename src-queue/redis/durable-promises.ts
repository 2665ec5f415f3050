/** What Redis must say of itself before, and of a write after, so that the write counts as safe. */
import type { ChainableCommander } from 'ioredis';
import { QueueError } from '../contract/errors';
import { LIMITS } from '../contract/limits';
import type { Durability } from '../contract/primitives';

/** What is more than memory. */
export type Durable = Exclude<Durability, 'memory'>;

export type Replies = [error: Error | null, reply: unknown][];

interface DurablePromise {
  /** Asks whether Redis could keep the promise. */
  look(calls: ChainableCommander): ChainableCommander;
  /** @throws {QueueError} NOT_DURABLE where it could not */
  check(seen: Replies): void;
  /** Follows the write, on its connection. */
  ask(calls: ChainableCommander): ChainableCommander;
  /** Why the write does not count as safe, or null. */
  shortfall(confirmation: Replies): string | null;
}

const SECONDS = `${LIMITS.durableMs / 1000} s`;

const refuse = (what: string, remedy: string): never => {
  throw new QueueError('NOT_DURABLE', `${what}: ${remedy}`);
};

/** On a replica at least: it survives the loss of the primary, where that replica takes its place. */
const replicated: DurablePromise = {
  look: (calls) => calls.info('replication'),
  check: ([replication]) => {
    const info = replication?.[1];
    // One that has become a replica itself refuses the write, and is left for the new primary then.
    if (typeof info === 'string' && /^role:master/m.test(info) && /^connected_slaves:0/m.test(info))
      refuse('This Redis has no replica that could confirm the task', 'connect a replica, or ask for less');
  },
  ask: (calls) => calls.wait(1, LIMITS.durableMs),
  shortfall: ([wait]) => {
    if (wait?.[0]) return `Redis refused to wait for a replica (${wait[0].message})`;
    return Number(wait?.[1]) >= 1 ? null : `no replica confirmed it within ${SECONDS}`;
  },
};

/**
 * In the append-only file on the disk: it survives a loss of power. Redis 7.2 and later say so of one write (WAITAOF);
 * before that only `appendfsync always` does, which answers nobody before the disk has it.
 */
const fsync: DurablePromise = {
  look: (calls) => calls.call('COMMAND', 'INFO', 'WAITAOF').config('GET', 'append*'),
  check: ([waitaof, config]) => {
    const { appendonly, appendfsync } = settingsOf(config);
    if (appendonly === 'no') refuse('This Redis keeps no append-only file', 'set appendonly yes');
    if (knows(waitaof) || appendfsync === 'always') return;
    const found =
      appendfsync === undefined ? 'whose appendfsync this user may not read' : `with appendfsync ${appendfsync}`;
    refuse(`A Redis before 7.2 ${found} does not tell when a task is on the disk`, 'set appendfsync always');
  },
  ask: (calls) => calls.call('WAITAOF', 1, 0, LIMITS.durableMs).config('GET', 'append*'),
  shortfall: ([waitaof, config]) => {
    if (Array.isArray(waitaof?.[1])) {
      return Number(waitaof[1][0]) >= 1 ? null : `the append-only file was not synced within ${SECONDS}`;
    }
    if (settingsOf(config).appendfsync === 'always') return null;
    return `Redis does not tell whether it is on the disk (${waitaof?.[0]?.message})`;
  },
};

export const PROMISES: Record<Durable, DurablePromise> = { fsync, replicated };

/** COMMAND INFO answers null for what it does not know. */
const knows = (command: Replies[number] | undefined): boolean =>
  Array.isArray(command?.[1]) && command[1].some((entry) => entry !== null);

function settingsOf(config: Replies[number] | undefined): { appendonly?: string; appendfsync?: string } {
  const flat = Array.isArray(config?.[1]) ? config[1].map(String) : [];
  const setting = (name: string) => (flat.includes(name) ? { [name]: flat[flat.indexOf(name) + 1] } : {});
  return { ...setting('appendonly'), ...setting('appendfsync') };
}
