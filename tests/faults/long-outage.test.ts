/**
 * Redis is away for five minutes, in real time: longer than any lease, any patience and any pause between tries. In a file
 * of its own, because it takes that long and does nothing: others run beside it.
 */
import { expect, it } from 'vitest';
import { FaultWorld } from '../support/fault-world';
import { passes } from '../support/millrace-process';

const OUTAGE_MS = 300_000;

it('starts nothing twice over an outage of five minutes, and goes on by itself', async () => {
  await using world = await FaultWorld.start();
  const api = await world.server();
  await world.running(api, 10);
  await world.submitMany(api, 20);
  world.worker(5); // has work, too: 15 run, 15 wait
  await world.until(api, 'processing', 15);

  world.redis.kill9();
  await world.health(api, 503);
  await passes(OUTAGE_MS / 2);
  world.open(); // their handlers end while there is nobody to tell
  await passes(OUTAGE_MS / 2);
  const refused = await api.call('POST', '/api/tasks', { task_type: 'gated', payload: world.payload() });
  expect(refused.status).toBe(503);
  expect(world.runs).toHaveLength(15);

  await world.redis.restart();
  const back = performance.now();
  await world.until(api, 'completed', 30);
  expect(performance.now() - back).toBeLessThan(3000); // 2 s, and the asking
  expect(new Set(world.runs)).toEqual(world.accepted);
  expect(world.runs).toHaveLength(30);
  expect(await world.violations()).toEqual([]);
}, 390_000);
