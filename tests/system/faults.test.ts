/** Processes that die or freeze: workers, and Redis itself. `tests/faults` has the longer ones. */
import { expect, it } from 'vitest';
import { FaultWorld, LEASE_MS } from '../support/fault-world';
import { waitFor } from '../support/millrace-process';

it('completes all of 100 running tasks within the lease and 2 s when their worker is killed', async () => {
  await using world = await FaultWorld.start();
  const api = await world.server();
  const victim = await world.running(api, 100);
  world.worker(100);
  await waitFor('the other worker', async () => ((await world.stats(api)).workers === 2 ? true : null));
  world.open();
  victim.signal('SIGSTOP'); // so that none of the hundred ends between the gate and the kill
  const before = (await world.stats(api)).completed;
  victim.signal('SIGKILL');
  const killed = performance.now();
  await world.until(api, 'completed', 100, LEASE_MS + 5000);
  expect(performance.now() - killed).toBeLessThan(LEASE_MS + 2000);
  expect(before).toBeLessThan(100);
  expect(new Set(world.runs).size).toBe(100);
  expect(await world.violations()).toEqual([]);
});

it('lets a worker that was frozen past its lease write nothing', async () => {
  await using world = await FaultWorld.start();
  const api = await world.server();
  const frozen = world.worker();
  const task = await api.submit({ task_type: 'gated', payload: world.payload() });
  await world.begun();
  frozen.signal('SIGSTOP');
  world.worker();
  const taken = await world.startsElsewhere(api, task.id);
  world.open(); // both may end now
  frozen.signal('SIGCONT');
  const done = await api.until(task.id, 'completed');
  expect(done).toMatchObject({ attempts: 2, result: 2, worker_id: taken.worker_id });
  await waitFor('the frozen worker to notice', () => (/lease/i.test(frozen.err) ? true : null));
  expect(await api.task(task.id)).toEqual(done);
});

it('keeps every accepted task when redis-server is killed and comes back', async () => {
  await using world = await FaultWorld.start();
  const api = await world.server();
  await world.submitMany(api, 500);
  world.redis.kill9();
  await world.health(api, 503);
  expect((await api.call('POST', '/api/tasks', { task_type: 'gated', payload: world.payload() })).status).toBe(503);
  await world.redis.restart();
  await world.health(api, 200);
  expect((await world.stats(api)).total).toBe(500);
  world.open();
  world.worker(50);
  await world.until(api, 'completed', 500);
  expect(await world.violations()).toEqual([]);
});

it('goes on with running tasks over an outage of Redis, and starts none of them twice', async () => {
  await using world = await FaultWorld.start();
  const api = await world.server();
  await world.running(api, 20);
  world.redis.kill9();
  await world.health(api, 503);
  await world.redis.restart();
  world.open();
  await world.until(api, 'completed', 20);
  expect(world.runs).toHaveLength(20);
});
