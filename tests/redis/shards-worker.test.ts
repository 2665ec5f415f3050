/** Real workers over queues with shards. */
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import type { WorkerConfigInput } from '#worker/config';
import { submitAll, submitOne } from '../support/engine';
import { waitFor } from '../support/millrace-process';
import { workersOfFile } from '../support/redis-worker';

const world = workersOfFile();

async function working(config: Partial<WorkerConfigInput>) {
  const runs = new Map<string, string>();
  const job = {
    type: 'job',
    run: ({ task }: { task: { id: string; queue: string } }) => {
      if (runs.has(task.id)) throw new Error(`${task.id} runs again`);
      runs.set(task.id, task.queue);
    },
  };
  const artifactsDir = tmpdir();
  const started = await world.start([job], { artifactsDir, ...config });
  return { ...started, runs };
}
const jobs = (count: number) => Array.from({ length: count }, () => ({ queue: 'hot', type: 'job' }));
const completed = (count: number) =>
  waitFor('all to complete', async () =>
    (await world.connected.reader.queueState('hot'))?.counts.completed === count ? true : null,
  );

it.each(['hot', '*'])('a worker of %s runs every task of every shard, each once', async (name) => {
  const ids = await submitAll(world.connected, jobs(100));
  const one = await working({ queues: [{ name }], concurrency: 20 });
  const two = await working({ queues: [{ name }], concurrency: 20 });
  await world.connected.engine.setLimits('hot', { shards: 4 });
  for (let n = 0; n < 4; n++) ids.push(...(await submitAll(world.connected, jobs(500))));
  await completed(2100);
  const ran = [...one.runs, ...two.runs];
  expect(ran.map(([id]) => id).toSorted()).toEqual(ids.toSorted());
  expect(new Set(ran.map(([, queue]) => queue))).toEqual(new Set(['hot']));
  const tasks = await world.connected.reader.getTasks(ids);
  expect(tasks.every((task) => task?.attempts === 1)).toBe(true);
});

it('a worker goes on with shards that get no more tasks until they are empty', async () => {
  await world.connected.engine.setLimits('hot', { shards: 4 });
  await submitAll(world.connected, jobs(1000));
  await world.connected.engine.setLimits('hot', { shards: 1 });
  await submitAll(world.connected, jobs(500));
  await working({ queues: [{ name: 'hot' }], concurrency: 20 });
  await completed(1500);
});

it('a task of a type that nobody served is taken up in its shard when a worker comes', async () => {
  await world.connected.engine.setLimits('hot', { shards: 2 });
  await submitAll(world.connected, jobs(500));
  const stranger = { workerId: 'w0', lane: '0', nonce: 'n0', settles: [], want: 1, leaseMs: 1000, types: ['other'] };
  for (const queue of ['hot', 'hot#1']) await world.connected.engine.work({ queue, ...stranger }); // parks what it sees
  await working({ queues: [{ name: 'hot' }], concurrency: 20 });
  await completed(500);
  expect(await world.connected.directory.list()).toMatchObject([{ queues: [{ name: 'hot', weight: 1 }] }]);
});

it('an idle worker is woken in each shard', async () => {
  await world.connected.engine.setLimits('hot', { shards: 3 });
  const { runs } = await working({ queues: [{ name: 'hot' }], concurrency: 2 });
  for (let n = 0; n < 9; n++) {
    const id = await submitOne(world.connected, { queue: 'hot', type: 'job' });
    await waitFor('it to run', async () => (runs.has(id) ? true : null));
  }
});
