/**
 * One queue may lie in several physical queues, its shards: `q`, `q#1`, `q#2` … Shard 0 has the queue's own name, so
 * what a queue held before it had shards stays where it is. `#` can be in no queue's name. Whatever leaves the engine
 * names the logical queue.
 */
import { createHash } from 'node:crypto';

const MARK = '#';

export const shardName = (queue: string, shard: number): string => (shard === 0 ? queue : `${queue}${MARK}${shard}`);

/** The queue that a physical queue belongs to. */
export function logicalQueue(physical: string): string {
  const at = physical.indexOf(MARK);
  return at === -1 ? physical : physical.slice(0, at);
}

/** Each once. */
export const logicalQueues = (physical: Iterable<string>): string[] => [
  ...new Set(Array.from(physical, (name) => logicalQueue(name))),
];

/** 0 for a queue without shards. */
export function shardNumber(physical: string): number {
  const at = physical.indexOf(MARK);
  return at === -1 ? 0 : Number(physical.slice(at + MARK.length));
}

/** The shard of a key: the same in every process and every version. */
export const shardOfKey = (key: string, shards: number): number =>
  shards === 1 ? 0 : createHash('sha1').update(key).digest().readUInt32BE(0) % shards;
