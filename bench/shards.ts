/**
 * One queue in 1, 2, 4 and 8 shards on a Cluster of four masters, on this machine: what a task costs, how the masters share it, and
 * what all do together. A machine has so many cores whatever the shards: the share of the busiest master says what more would do.
 */
import { Redis } from 'ioredis';
import { connectToUrl, taskSpec } from '../tests/support/engine';
import { RedisCluster } from '../tests/support/redis-topologies';
import { end } from './child';
import { startWorkers, submitInCalls } from './millrace-subject';
import { accountOf } from './redis-account';
import type { Figures } from './report';
import { PAYLOAD, priorityOf, until } from './subject';

const MASTERS = 4;
const COUNTS = [1, 2, 4, 8];
const BATCH = 1000;
/** Calls of so many tasks at a time: every shard has one of its own to work on. */
const CALLS_AT_ONCE = 4;
const CREW = { concurrency: 50, workers: 2 };

export const ON_CLUSTER = 'queue on a Cluster';
const name = (what: string, shards: number) =>
  `${ON_CLUSTER} of ${MASTERS} masters, ${shards} ${shards === 1 ? 'shard' : 'shards'}: ${what}`;

const payload = JSON.stringify(PAYLOAD);

export async function measureShards(figures: Figures, tasks: number): Promise<void> {
  await using cluster = await RedisCluster.start({ masters: MASTERS, replicas: 0 });
  const masters = cluster.nodes.map(({ host, port }) => new Redis({ host, port }));
  const connected = connectToUrl(cluster.url, { name: 'bench', patienceMs: 10_000 });
  try {
    if (!(await connected.whenReady(10_000))) throw new Error('the Cluster does not answer');
    for (const shards of COUNTS) {
      const queue = `shards-${shards}`;
      await connected.engine.setLimits(queue, { shards });
      await connected.engine.pause(queue);
      const submitted = await spent(masters, () =>
        submitInCalls(connected, tasks, { chunk: BATCH, inFlight: CALLS_AT_ONCE }, (index) =>
          taskSpec({ queue, payload, priority: priorityOf(index) }),
        ),
      );
      const crew = await startWorkers(cluster.url, connected, queue, CREW);
      const processed = await spent(masters, async () => {
        await connected.engine.resume(queue);
        await until(async () => (await connected.reader.queueState(queue))?.counts.completed === tasks);
      });
      await Promise.all(crew.map(end));
      for (const [what, { ms, cpuMs }] of Object.entries({ submit: submitted, process: processed })) {
        const total = cpuMs.reduce((sum, one) => sum + one, 0);
        figures.add(name(what, shards), 'tasks/s', tasks / (ms / 1000), { moreIsBetter: true });
        figures.add(name(`Redis CPU per task, ${what}`, shards), 'µs', (total * 1000) / tasks);
        figures.add(name(`share of the busiest master, ${what}`, shards), 'of 1', Math.max(...cpuMs) / total);
      }
    }
  } finally {
    await connected.close();
    for (const master of masters) master.disconnect();
  }
}

async function spent(masters: readonly Redis[], run: () => Promise<unknown>) {
  const cpu = () => Promise.all(masters.map(async (master) => (await accountOf(master)).cpuMs));
  const before = await cpu();
  const start = performance.now();
  await run();
  const ms = performance.now() - start;
  const after = await cpu();
  return { ms, cpuMs: after.map((total, n) => total - (before[n] ?? 0)) };
}
