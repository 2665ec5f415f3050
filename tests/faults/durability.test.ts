/** Acknowledgements that wait for a replica, while primaries die, replicas hang and slots move. */
import { expect, it } from 'vitest';
import { Task } from '#queue/contract/task';
import { FaultWorld } from '../support/fault-world';
import { type TestApi, waitFor } from '../support/millrace-process';
import { ask, RedisCluster, SentinelSet } from '../support/redis-topologies';

const FAILOVER_MS = 60_000;
const CLIENTS = 8;

it('keeps what was answered as `replicated` when the primary dies while its replicas hang; `memory` was answered and is lost', async () => {
  await using set = await SentinelSet.start();
  const first = await set.primary();
  await using world = await FaultWorld.start({ topology: { url: set.url, redis: first } });
  const api = await world.server();
  const kept = await submitOnce(world, api, 'replicated');
  expect(kept).not.toBeNull();
  const replicas = set.data.filter((server) => server !== first);
  for (const { pid } of replicas) process.kill(pid, 'SIGSTOP');
  expect(await submitOnce(world, api, 'replicated')).toBeNull(); // 503: told, not lost
  await ask(first, 'CLIENT', 'KILL', 'TYPE', 'replica'); // else it would lie in their sockets already
  const hoped = await api.submit({ task_type: 'gated', payload: world.payload() });
  first.kill9();
  for (const { pid } of replicas) process.kill(pid, 'SIGCONT');
  await waitFor('another primary', async () => ((await set.primary()) === first ? null : true), FAILOVER_MS);
  await world.health(api, 200, FAILOVER_MS);
  expect((await api.task(kept ?? '')).status).toBe('pending');
  expect((await api.call('GET', `/api/tasks/${hoped.id}`)).status).toBe(404);
  expect(await world.violations()).toEqual([]);
});

it('loses no task answered as `replicated` when the primary dies under load', async () => {
  await using set = await SentinelSet.start();
  const first = await set.primary();
  await using world = await FaultWorld.start({ topology: { url: set.url, redis: first } });
  const api = await world.server();
  await whileSubmitting(world, api, 'default', async () => {
    await waitFor('some to be answered', async () => (world.accepted.size > 100 ? true : null));
    first.kill9();
    await waitFor('another primary', async () => ((await set.primary()) === first ? null : true), FAILOVER_MS);
    const before = world.accepted.size;
    await waitFor('more to be answered', async () => (world.accepted.size > before + 100 ? true : null), FAILOVER_MS);
  });
  await allThere(world, api);
});

it('loses no task answered as `replicated` in a Cluster whose master dies, and whose slot moves', async () => {
  await using cluster = await RedisCluster.start();
  const [from, to] = cluster.nodes;
  if (from === undefined || to === undefined) throw new Error('no nodes');
  const queue = await cluster.queueWithSlotBelow(300); // a reshard moves the lowest slots first
  await using world = await FaultWorld.start({ topology: { url: cluster.url, redis: from } });
  const api = await world.server();
  await whileSubmitting(world, api, queue, async () => {
    await waitFor('some to be answered', async () => (world.accepted.size > 100 ? true : null));
    await cluster.moveSlots(from, to, 300);
    let before = world.accepted.size;
    await waitFor('more to be answered', async () => (world.accepted.size > before + 100 ? true : null), FAILOVER_MS);
    to.kill9();
    const another = async () => ((await cluster.masterOf(queue).catch(() => to)) === to ? null : true);
    await waitFor('another master', another, FAILOVER_MS);
    before = world.accepted.size;
    // the new master has no replica: until one follows it, the honest answer is 503
    await to.restart();
    await waitFor('more to be answered', async () => (world.accepted.size > before + 100 ? true : null), FAILOVER_MS);
  });
  await allThere(world, api);
});

/** @returns the id, or null where the answer was not 201 */
async function submitOnce(
  world: FaultWorld,
  api: TestApi,
  durability: string,
  queue = 'default',
): Promise<string | null> {
  const body = { task_type: 'gated', payload: world.payload(), queue, durability };
  const answer = await api.call('POST', '/api/tasks', body).catch(() => null);
  if (answer?.status !== 201) {
    if (answer !== null) expect(`${answer.status} ${await answer.text()}`).toContain('"status":503');
    return null;
  }
  const { id } = Task.parse(await answer.json());
  world.accepted.add(id);
  return id;
}

/** Some clients that submit without a pause, until the fault is over. */
async function whileSubmitting(
  world: FaultWorld,
  api: TestApi,
  queue: string,
  fault: () => Promise<void>,
): Promise<void> {
  let over = false;
  const client = async () => {
    while (!over) await submitOnce(world, api, 'replicated', queue);
  };
  const clients = Array.from({ length: CLIENTS }, client);
  await fault().finally(() => (over = true));
  await Promise.all(clients);
}

async function allThere(world: FaultWorld, api: TestApi): Promise<void> {
  const answers = await Promise.all(
    [...world.accepted].map(async (id) => [id, (await api.call('GET', `/api/tasks/${id}`)).status] as const),
  );
  expect(answers.filter(([, status]) => status !== 200)).toEqual([]);
  expect(await world.violations()).toEqual([]);
}
