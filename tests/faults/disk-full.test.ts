/** The disk of Redis is full: it accepts no write until there is room. Needs a file system of its own to fill. */
import { expect, it } from 'vitest';
import { WORKER_TTL_MS } from '#queue/engine/worker-directory';
import { FaultWorld } from '../support/fault-world';
import { waitFor } from '../support/millrace-process';
import { ask } from '../support/redis-topologies';
import { SmallDisk } from '../support/small-disk';

it('refuses new tasks with 503 STORAGE while the disk is full; workers keep what they run and what came of it', async ({
  skip,
}) => {
  await using disk = await SmallDisk.mount();
  if (disk === null) return skip('nothing can be mounted here');
  await using world = await FaultWorld.start({ redis: ['--dir', disk.path, '--appendfsync', 'everysec'] });
  const api = await world.server();
  const worker = world.worker(5);
  await world.submitMany(api, 20);
  await world.until(api, 'processing', 5);

  disk.fill();
  const refused = await waitFor('a submit to be refused', async () => {
    const answer = await api.call('POST', '/api/tasks', { task_type: 'gated', payload: world.payload() });
    if (answer.status !== 201) return answer;
    world.accepted.add(((await answer.json()) as { id: string }).id); // Redis holds it until there is room
    return null;
  });
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ code: 'STORAGE' });
  expect(refused.headers.get('retry-after')).toBe('10');
  expect((await world.stats(api)).processing).toBe(5); // what is stored can still be read

  world.open();
  await waitFor('the results to have nowhere to go', () => (/work call failed/.test(worker.err) ? true : null));
  const since = performance.now();
  await waitFor('leases and workers to be over by any clock', () =>
    performance.now() - since > WORKER_TTL_MS + 1000 ? true : null,
  );
  expect((await world.stats(api)).completed).toBe(0);
  expect(world.runs).toHaveLength(5);

  disk.free();
  const { size } = world.accepted;
  await world.until(api, 'completed', size);
  const again = await api.submit({ task_type: 'gated', payload: world.payload() });
  await api.until(again.id, 'completed');
  expect(world.runs).toHaveLength(size + 1); // each once
  expect(await world.violations()).toEqual([]);

  // What Redis held back reaches the disk.
  await waitFor('Redis to have written', async () =>
    /aof_buffer_length:0\b[\s\S]*aof_pending_bio_fsync:0\b/.test(await ask(world.redis, 'INFO', 'persistence'))
      ? true
      : null,
  );
  world.redis.kill9();
  await world.health(api, 503);
  await world.redis.restart();
  await world.health(api, 200);
  expect((await world.stats(api)).completed).toBe(size + 1);
});
