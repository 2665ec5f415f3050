/** Processes that die, longer than tests/system/faults.test.ts looks at it. */
import { expect, it } from 'vitest';
import { FaultWorld, LEASE_MS } from '../support/fault-world';
import { passes, waitFor } from '../support/millrace-process';

it('claims again within 2 s of the return of Redis, however long it was away: every worker', async () => {
  await using world = await FaultWorld.start();
  const api = await world.server();
  world.open();
  const queues = ['q1', 'q2', 'q3', 'q4'];
  for (const queue of queues) world.worker(1, { env: { QUEUES: queue } });
  await waitFor('the workers', async () => ((await world.stats(api)).workers === queues.length ? true : null));
  const due = new Date(Date.now() + 3000).toISOString(); // while Redis is away
  const ids: string[] = [];
  for (const queue of queues) {
    const task = { task_type: 'gated', payload: world.payload(), queue, run_at: due };
    ids.push((await api.submit(task)).id);
  }
  world.redis.kill9();
  await world.health(api, 503);
  await passes(8000); // longer than all pauses between tries
  await world.redis.restart();
  const back = Date.now();
  await world.until(api, 'completed', queues.length);
  const waited = await Promise.all(ids.map(async (id) => Date.parse((await api.task(id)).started_at ?? '') - back));
  expect(Math.max(...waited)).toBeLessThan(2000);
  expect(await world.violations()).toEqual([]);
});

it('counts the attempts of a task that kills its worker, and keeps it out of the way in the end', async () => {
  const poison = `
import { defineHandler, z } from 'millrace';
export default defineHandler({ type: 'poison', payload: z.object({}), run() { process.kill(process.pid, 'SIGKILL'); return new Promise(() => {}); } });
`;
  await using world = await FaultWorld.start({ handlers: { 'poison.ts': poison } });
  const api = await world.server();
  const task = await api.submit({ task_type: 'poison', payload: {}, max_retries: 1 });
  await world.worker().ended;
  await world.worker().ended;
  const dead = await api.until(task.id, 'failed', LEASE_MS * 3);
  expect(dead).toMatchObject({ attempts: 2, error: { name: 'LeaseLostError' } });
  expect(await world.violations()).toEqual([]);
}, 90_000);
