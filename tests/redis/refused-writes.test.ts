/** A Redis that takes no writes, since it has too few replicas or its disk is full, can still be read. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ConnectedEngine } from '#queue/engine/connect';
import { connectTo } from '../support/engine';
import { type RedisServer, startRedis } from '../support/redis-server';

let server: RedisServer;
let connected: ConnectedEngine;

beforeAll(async () => {
  server = await startRedis();
  connected = connectTo(server);
  await connected.whenReady(5000);
});
afterAll(async () => {
  await connected?.close();
  await server?.stop();
});

const needReplicas = (count: string) =>
  connected.store.command('need replicas', (redis) => redis.call('CONFIG', 'SET', 'min-replicas-to-write', count));

it('still tells which workers there are, also when some have been silent for too long', async () => {
  for (const id of ['lives', 'silent']) await connected.directory.beat(workerBeat(id, ['noop']));
  await connected.store.command('silence', (redis) => redis.del(connected.store.keys.system('worker:silent')));
  await needReplicas('1');
  const asked = performance.now();
  expect((await connected.directory.list()).map(({ id }) => id)).toEqual(['lives']);
  expect(performance.now() - asked).toBeLessThan(1000); // what cannot be tidied up is not waited for
  await needReplicas('0');
  await connected.directory.list();
  const known = await connected.store.command('known', (redis) =>
    redis.smembers(connected.store.keys.system('workers')),
  );
  expect(known).toEqual(['lives']);
});

const workerBeat = (id: string, types: string[]) => ({
  id,
  host: 'h',
  pid: 1,
  version: '0',
  state: 'running' as const,
  pool: null,
  queues: [{ name: 'default', weight: 1 }],
  task_types: types,
  concurrency: 1,
  running: [],
  completed: 0,
  failed: 0,
  memory_bytes: 0,
  event_loop_lag_ms: 0,
  blocked: false,
  started_at: '2026-01-01T00:00:00.000Z',
});
