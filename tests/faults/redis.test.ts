/** What happens to Redis itself, short of its death: stopped, slow, full, flushed, damaged by hand. */
import { expect, it } from 'vitest';
import { whenReady } from '#queue/redis/connection';
import { FaultWorld } from '../support/fault-world';
import { waitFor } from '../support/millrace-process';

it.each([
  ['is busy for 4 s', (world: FaultWorld) => command(world, 'DEBUG', 'SLEEP', '4')],
  ['pauses writes for 4 s', (world: FaultWorld) => command(world, 'CLIENT', 'PAUSE', '4000', 'WRITE')],
  ['pauses everybody for 4 s', (world: FaultWorld) => command(world, 'CLIENT', 'PAUSE', '4000', 'ALL')],
])('goes on when Redis %s, and starts nothing twice', async (_, fault) => {
  await using world = await FaultWorld.start();
  const api = await world.server();
  await world.running(api, 10);
  await fault(world);
  world.open();
  await world.until(api, 'completed', 10);
  expect(world.runs).toHaveLength(10);
  expect(await world.violations()).toEqual([]);
});

it('goes on when Redis was frozen for longer than a lease, and starts nothing twice', async () => {
  await using world = await FaultWorld.start();
  const api = await world.server();
  await world.running(api, 10);
  process.kill(world.redis.pid, 'SIGSTOP');
  const since = performance.now();
  await world.health(api, 503);
  await waitFor('the lease to be over by any clock', () => (performance.now() - since > 12_000 ? true : null));
  process.kill(world.redis.pid, 'SIGCONT');
  world.open();
  await world.until(api, 'completed', 10);
  expect(world.runs).toHaveLength(10);
});

it('makes nothing twice while every client is killed five times a second and scripts are flushed', async () => {
  await using world = await FaultWorld.start();
  const api = await world.server();
  world.worker(10);
  world.open();
  const chaos = setInterval(() => {
    command(world, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes').catch(() => undefined);
    command(world, 'SCRIPT', 'FLUSH').catch(() => undefined);
  }, 200);
  let accepted = 0;
  while (accepted < 200) {
    const tasks = Array.from({ length: 20 }, (_, n) => ({
      task_type: 'gated',
      payload: world.payload(),
      idempotency_key: `${accepted}-${n}`,
    }));
    const answer = await api.call('POST', '/api/tasks/bulk', { tasks });
    if (answer.status === 201) accepted += 20;
  }
  clearInterval(chaos);
  await world.health(api, 200);
  await world.until(api, 'completed', 200);
  expect((await world.stats(api)).total).toBe(200);
  expect(await world.violations()).toEqual([]);
});

it('refuses new tasks when memory is full, while running ones end and the queue drains', async () => {
  await using world = await FaultWorld.start();
  const api = await world.server();
  world.worker(5);
  await world.submitMany(api, 20);
  await world.until(api, 'processing', 5);
  await command(world, 'CONFIG', 'SET', 'maxmemory', '1mb');
  const refused = await api.call('POST', '/api/tasks', { task_type: 'gated', payload: world.payload() });
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([503, 'REDIS_FULL']);
  world.open();
  await world.until(api, 'completed', 20);
  await command(world, 'CONFIG', 'SET', 'maxmemory', '0');
  const taken = await api.submit({ task_type: 'gated', payload: world.payload() });
  await api.until(taken.id, 'completed');
  expect(await world.violations()).toEqual([]);
});

it('begins anew after FLUSHALL: nothing of before is written, new tasks run', async () => {
  await using world = await FaultWorld.start();
  const api = await world.server();
  await world.running(api, 5);
  await command(world, 'FLUSHALL');
  world.accepted.clear(); // these are meant to be gone
  world.open();
  const task = await api.submit({ task_type: 'gated', payload: world.payload() });
  await api.until(task.id, 'completed');
  expect((await world.stats(api)).total).toBe(1);
  expect(await world.violations()).toEqual([]);
});

/** Once, on a connection that waits for the answer however long it takes. */
async function command({ engine }: FaultWorld, name: string, ...args: string[]): Promise<void> {
  const connection = engine.store.open('blocking', 'fault');
  await whenReady(connection, 5000);
  await connection.call(name, ...args);
  engine.store.release(connection);
}
