/**
 * What Redis and the processes that lived through a soak hold when nothing is stored: taken before the faults and after
 * them, each time with every task removed. What is kept by promise (the event log, metrics, the audit trail, operations)
 * is measured by itself and taken out of the comparison. Idempotency keys, which live for a day, are removed by hand.
 */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Operation } from '#queue/contract/operation';
import { waitFor } from '../support/millrace-process';
import type { Fleet } from './fleet';
import type { Victim } from './patient';

/** What a queue keeps when it has no task. */
const KEPT = /^mr:\{_sys\}:|^mr:\{default\}:(?:events|meta|types|served|wake|metrics.*)$/;
const OUT_OF_COMPARISON = /^mr:\{_sys\}:(?:metrics|audit|op)|:events$/;
const PURGE_MS = 120_000;
const SETTLE_MS = 90_000;
const SHARE = 0.05;
/** Below these sizes five per cent is noise: of a few buffers, a few compiled functions, a bucket of metrics. */
const FLOORS = { heap: 2 * 1024 * 1024, redis: 512 * 1024, count: 2 };
/** What an allocator keeps of a peak is its own affair: resident memory is bounded loosely. */
const RSS_SHARE = 0.5;
const SCAN_COUNT = 1000;

interface Body {
  heap: number;
  rss: number;
  fds: number;
}

export interface Footprint {
  server: Body;
  worker: Body;
  redisBytes: number;
  redisClients: number;
  /** Keys of tasks that no longer exist, the first ones. */
  leftover: string[];
}

/** Removes all tasks through the API, as an operator does. */
export async function removeAll(fleet: Fleet): Promise<void> {
  const api = fleet.api(0);
  const answer = await api.call('POST', '/api/operations', {
    action: 'delete',
    filter: { queue: 'default' },
    confirm: true,
  });
  if (answer.status !== 202) throw new Error(`delete: ${answer.status} ${await answer.text()}`);
  const { id } = Operation.parse(await answer.json());
  const ended = async () => {
    const { state } = Operation.parse(await (await api.call('GET', `/api/operations/${id}`)).json());
    return state === 'done' ? true : null;
  };
  await waitFor('all tasks to be removed', ended, PURGE_MS);
}

export async function measure(fleet: Fleet): Promise<Footprint> {
  const { store } = fleet.world.engine;
  return store.command('measure', async (redis) => {
    const leftover: string[] = [];
    let kept = 0;
    let clients = 0;
    for (let cursor = '0', first = true; first || cursor !== '0'; first = false) {
      const [next, keys] = await redis.scan(cursor, 'COUNT', SCAN_COUNT);
      cursor = next;
      for (const key of keys) {
        if (key.startsWith('mr:{default}:i:')) await redis.del(key);
        else if (OUT_OF_COMPARISON.test(key)) kept += Number(await redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0'));
        else if (!KEPT.test(key)) leftover.push(key);
      }
    }
    const info = await redis.info('memory');
    const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
    clients = String(await redis.call('CLIENT', 'LIST', 'TYPE', 'normal'))
      .trim()
      .split('\n').length;
    return {
      server: await bodyOf(fleet, fleet.steadyServer),
      worker: await bodyOf(fleet, fleet.steadyWorker),
      redisBytes: field('used_memory') - field('mem_clients_normal') - field('mem_aof_buffer') - kept,
      redisClients: clients,
      leftover: leftover.slice(0, 20),
    };
  });
}

async function bodyOf(fleet: Fleet, process: Victim): Promise<Body> {
  return { ...(await fleet.memoryOf(process)), fds: readdirSync(`/proc/${process.pid}/fd`).length };
}

/** @returns what is out of bounds, in words */
export function growth(before: Footprint, after: Footprint): string[] {
  const grown = (what: string, from: number, to: number, share: number, floor: number) =>
    to - from > Math.max(from * share, floor) ? [`${what}: ${from} before, ${to} after`] : [];
  return [
    ...(['server', 'worker'] as const).flatMap((who) => [
      ...grown(`heap of the ${who}`, before[who].heap, after[who].heap, SHARE, FLOORS.heap),
      ...grown(`resident memory of the ${who}`, before[who].rss, after[who].rss, RSS_SHARE, 0),
      ...grown(`descriptors of the ${who}`, before[who].fds, after[who].fds, SHARE, FLOORS.count),
    ]),
    ...grown('memory of Redis', before.redisBytes, after.redisBytes, SHARE, FLOORS.redis),
    ...grown('clients of Redis', before.redisClients, after.redisClients, SHARE, FLOORS.count),
    ...after.leftover.map((key) => `${key} is left over`),
  ];
}

/** Measured again until all is as before, for a while: idle connections are closed after some seconds. */
export async function measureUntilBack(fleet: Fleet, before: Footprint): Promise<Footprint> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const after = await measure(fleet);
    if (growth(before, after).length === 0 || performance.now() > deadline) return after;
    await sleep(2000);
  }
}
