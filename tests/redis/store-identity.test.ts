import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ConnectedEngine } from '#queue/engine/connect';
import { connectTo } from '../support/engine';
import { type RedisServer, startRedis } from '../support/redis-server';

let server: RedisServer;
let one: ConnectedEngine;
let two: ConnectedEngine;

beforeAll(async () => {
  server = await startRedis();
  one = connectTo(server);
  two = connectTo(server);
  await Promise.all([one.whenReady(5000), two.whenReady(5000)]);
});
afterAll(async () => {
  await one?.close();
  await two?.close();
  await server?.stop();
});

it('names a store once for all processes, and anew when it was emptied', async () => {
  const names = await Promise.all([one, two, one].map((connected) => connected.identity()));
  expect(new Set(names).size).toBe(1);
  await one.store.command('flush', (redis) => redis.flushall());
  expect(await two.identity()).not.toBe(names[0]);
});
