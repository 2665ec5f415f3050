/**
 * How Redis does, measured: the round trip of a PING, its clock, its memory, its connections. Three commands in two
 * round trips, so that INFO is not in the latency. Nothing is repeated: a measurement that fails says that it failed.
 */
import type { Redis } from 'ioredis';
import type { Clock } from '../kernel/clock';

/** Null where this user may not ask; INFO is denied more often than not where Redis is somebody else's. */
export interface RedisVitals {
  latencyMs: number;
  /** Clock of Redis minus ours. */
  clockOffsetMs: number | null;
  memoryBytes: number | null;
  /** Null also where there is no limit. */
  maxMemoryBytes: number | null;
  clients: number | null;
  /** What Redis does when its memory is full; in a cluster, the worst that a master does. */
  evictionPolicy: string | null;
}

/** @param servers one, or the masters of a cluster: the slowest, the furthest clock, the sums of the rest @throws where one does not answer a PING */
export async function readVitals(servers: readonly Redis[], clock: Clock): Promise<RedisVitals> {
  const [first, ...others] = await Promise.all(servers.map((redis) => measure(redis, clock)));
  if (first === undefined) throw new Error('no server is known');
  return others.reduce(together, first);
}

async function measure(redis: Redis, clock: Clock): Promise<RedisVitals> {
  const sentAt = clock.now();
  const began = clock.monotonic();
  const replies = await redis.pipeline().ping().time().exec();
  const latencyMs = clock.monotonic() - began;
  const [fault, pong] = replies?.[0] ?? [];
  if (pong !== 'PONG') throw fault ?? new Error('PING was not answered');
  const time = replies?.[1]?.[1];
  const redisMs = Array.isArray(time) ? Number(time[0]) * 1000 + Number(time[1]) / 1000 : null;
  const info = fieldsOf(await redis.info('memory', 'clients').catch(() => ''));
  const number = (name: string) => {
    const value = Number.parseInt(info.get(name) ?? '', 10);
    return Number.isNaN(value) ? null : value;
  };
  const limit = number('maxmemory');
  return {
    latencyMs,
    clockOffsetMs: redisMs === null ? null : redisMs - (sentAt + latencyMs / 2),
    memoryBytes: number('used_memory'),
    maxMemoryBytes: limit === 0 ? null : limit,
    clients: number('connected_clients'),
    evictionPolicy: info.get('maxmemory_policy') ?? null,
  };
}

function fieldsOf(info: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of info.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    values.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return values;
}

const sum = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b);

function together(a: RedisVitals, b: RedisVitals): RedisVitals {
  const closer = Math.abs(a.clockOffsetMs ?? 0) < Math.abs(b.clockOffsetMs ?? 0);
  return {
    latencyMs: Math.max(a.latencyMs, b.latencyMs),
    clockOffsetMs: closer ? b.clockOffsetMs : a.clockOffsetMs,
    memoryBytes: sum(a.memoryBytes, b.memoryBytes),
    maxMemoryBytes: sum(a.maxMemoryBytes, b.maxMemoryBytes),
    clients: sum(a.clients, b.clients),
    evictionPolicy: a.evictionPolicy === 'noeviction' ? b.evictionPolicy : a.evictionPolicy,
  };
}
