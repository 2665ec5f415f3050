import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '#queue/kernel/clock';
import { silentLog } from '#queue/kernel/log';
import { RedisStore } from '#queue/redis/store';
import { redisAt } from '../support/engine';
import { type RedisServer, startRedis } from '../support/redis-server';
import { ShiftedClock } from '../support/shifted-clock';
import { anyCommand, type World } from './queue-commands';
import { QueueModel } from './queue-model';

/** `npm run test:faults` asks for 20 000. */
const RUNS = Number(process.env.MODEL_RUNS ?? 200);
const SEED = process.env.MODEL_SEED === undefined ? Date.now() % 2 ** 31 : Number(process.env.MODEL_SEED);
const MS_A_RUN = 2000;
const NOON = Date.UTC(2026, 10, 25, 12);

let clock: ShiftedClock;
let server: RedisServer;
let store: RedisStore;
beforeAll(async () => {
  clock = new ShiftedClock();
  server = await startRedis({ env: clock.env });
  store = new RedisStore({
    options: redisAt(server),
    clock: systemClock,
    log: silentLog,
    name: 'model',
    patienceMs: 10_000,
  });
  expect(await store.whenReady(5000)).toBe(true);
});
afterAll(async () => {
  store?.close();
  await server?.stop();
  clock?.[Symbol.dispose]();
});

it(
  'is what its model says after any row of calls, clock steps, lost scripts and crashes of Redis',
  async () => {
    const done = { calls: 0, kills: 0, clockSteps: 0, expiredLeases: 0 };
    const property = fc.asyncProperty(fc.commands(anyCommand, { maxCommands: 80, size: 'max' }), async (row) => {
      clock.stand(NOON);
      await store.command('begin anew', (redis) => redis.flushall());
      const model = new QueueModel(() => clock.nowMs);
      const drawn = { tokens: [], ids: [], lanes: new Map(), nonces: 0 };
      const world: World = { store, server, clock, startMs: NOON, ...drawn, done };
      await fc.asyncModelRun(() => ({ model, real: world }), row);
    });
    await fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: process.env.MODEL_SHRINK === '0' });
    process.stdout.write(`model: ${JSON.stringify({ runs: RUNS, seed: SEED, ...done })}\n`);
  },
  RUNS * MS_A_RUN,
);
