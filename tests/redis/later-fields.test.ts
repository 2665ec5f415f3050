/** Records with fields that a later version of the same layout has added: kept, whatever is done to the task. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ConnectedEngine } from '#queue/engine/connect';
import { connectTo, submitOne } from '../support/engine';
import { readQueue, violations } from '../support/queue-snapshot';
import { type RedisServer, startRedis } from '../support/redis-server';

let redis: RedisServer;
let connected: ConnectedEngine;

beforeAll(async () => {
  redis = await startRedis();
  connected = connectTo(redis);
  await connected.whenReady(5000);
});

afterAll(async () => {
  await connected.close();
  await redis.stop();
});

it('keeps them when the task is changed, cancelled and requeued with another payload', async () => {
  const { engine, store } = connected;
  const id = await submitOne(connected, { tags: ['a'], runAt: Date.now() + 3_600_000 });
  const key = store.keys.of('default', `t:${id}`);
  const read = async () => (await store.command('read', (connection) => connection.get(key))) ?? '';
  const old = await read();
  const later = old.replace('\n', '|trace%3A1|x\n');
  await store.command('write as a later version does', async (connection) => {
    await connection.set(key, later);
    await connection.hincrby(store.keys.meta('default'), 'bytes', later.length - old.length);
    await connection.hset(store.keys.meta('default'), 'later', 'kept');
  });
  expect(await engine.patch(id, { priority: 9, name: 'n', payload: '{"a":1}' })).toBe('patched');
  expect(await read()).toMatch(/\|trace%3A1\|x\n\{"a":1\}$/);
  expect(await engine.patch(id, { runAt: null })).toBe('patched'); // the last field of those that are known is empty now
  expect((await read()).split('\n')[0]).toMatch(/\|\|trace%3A1\|x$/);
  expect(await engine.cancel([id], 'not wanted')).toEqual(['cancelled']);
  expect(await engine.requeue([id], { payload: '{"b":2}' })).toEqual(['requeued']);
  expect(await read()).toMatch(/\|trace%3A1\|x\n\{"b":2\}$/);
  const queue = await store.command('read it all', (connection) => readQueue(connection, store.keys, 'default'));
  expect(queue.meta.later).toBe('kept');
  expect(violations(queue)).toEqual([]);
});
