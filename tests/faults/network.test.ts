/** What networks do between a process and its Redis: a proxy stands there and does it. */
import { expect, it } from 'vitest';
import { FaultWorld } from '../support/fault-world';
import { waitFor } from '../support/millrace-process';
import { RedisProxy } from '../support/redis-proxy';

const DETECTED_MS = 4000;

it('treats a worker behind a black hole as dead, and lets it write nothing when the way is there again', async () => {
  await using world = await FaultWorld.start();
  const proxy = await RedisProxy.before(world.redis);
  const api = await world.server();
  const cutOff = world.worker(1, { redis: proxy });
  const task = await api.submit({ task_type: 'gated', payload: world.payload() });
  await world.begun();
  proxy.hold();
  world.worker();
  const taken = await world.startsElsewhere(api, task.id);
  world.open();
  proxy.heal();
  const done = await api.until(task.id, 'completed');
  expect(done).toMatchObject({ attempts: 2, worker_id: taken.worker_id });
  await waitFor('the other worker to notice', () => (/lease/i.test(cutOff.err) ? true : null));
  expect(await api.task(task.id)).toEqual(done);
  const next = await api.submit({ task_type: 'gated', payload: world.payload() });
  await api.until(next.id, 'completed');
  expect(await world.violations()).toEqual([]);
  await proxy.close();
});

it('says within seconds that a server behind a black hole has no Redis, while workers beside it go on', async () => {
  await using world = await FaultWorld.start();
  const proxy = await RedisProxy.before(world.redis);
  const behind = await world.server({ redis: proxy });
  const beside = await world.server();
  world.worker(10);
  await world.submitMany(beside, 30);
  proxy.hold();
  const since = performance.now();
  await world.health(behind, 503);
  expect(performance.now() - since).toBeLessThan(DETECTED_MS);
  const refused = await behind.call('POST', '/api/tasks', { task_type: 'gated', payload: world.payload() });
  expect(refused.status).toBe(503);
  world.open();
  await world.until(beside, 'completed', 30);
  proxy.heal();
  const healed = performance.now();
  await world.health(behind, 200);
  expect(performance.now() - healed).toBeLessThan(DETECTED_MS);
  // The task that was refused was not stored behind anybody's back.
  expect((await world.stats(behind)).total).toBe(30);
  await proxy.close();
});

it('goes on after connections that were closed one way only', async () => {
  await using world = await FaultWorld.start();
  const proxy = await RedisProxy.before(world.redis);
  const api = await world.server({ redis: proxy });
  await world.running(api, 2, { redis: proxy });
  proxy.halfClose();
  world.open();
  await world.until(api, 'completed', 2);
  await world.submitMany(api, 2);
  await world.until(api, 'completed', 4);
  expect(world.runs).toHaveLength(4);
  await proxy.close();
});

it('is slow and right on a slow network: no lease is lost', async () => {
  await using world = await FaultWorld.start();
  const proxy = await RedisProxy.before(world.redis);
  proxy.delayMs = 250;
  const api = await world.server();
  world.worker(5, { redis: proxy });
  await world.submitMany(api, 20);
  await world.until(api, 'processing', 5);
  world.open();
  await world.until(api, 'completed', 20);
  expect(world.runs).toHaveLength(20);
  await proxy.close();
});

it('makes nothing twice while connections are cut again and again', async () => {
  await using world = await FaultWorld.start();
  const proxy = await RedisProxy.before(world.redis);
  const api = await world.server({ redis: proxy });
  world.worker(5, { redis: proxy });
  world.open();
  const cuts = setInterval(() => proxy.cut(), 200);
  const ids = new Set<string>();
  for (let n = 0; ids.size < 100; n++) {
    const answer = await api.call('POST', '/api/tasks', {
      task_type: 'gated',
      payload: world.payload(),
      idempotency_key: `order-${ids.size}`,
    });
    if (answer.status === 201 || answer.status === 200) ids.add(((await answer.json()) as { id: string }).id);
    else expect(answer.status).toBe(503);
    expect(n).toBeLessThan(10_000);
  }
  clearInterval(cuts);
  await world.health(api, 200);
  await world.until(api, 'completed', 100);
  expect((await world.stats(api)).total).toBe(100);
  expect(new Set(world.runs)).toEqual(ids);
  expect(await world.violations()).toEqual([]);
  await proxy.close();
});
