/** Redis as it stands in production: behind Sentinel, and as a Cluster. Nodes die and slots move while tasks run. */
import { expect, it } from 'vitest';
import { silentLog } from '#queue/kernel/log';
import { closeConnection, openConnection, whenReady } from '#queue/redis/connection';
import { parseRedisUrl } from '#queue/redis/url';
import { redisAt, submitAll, taskSpec, workOnce } from '../support/engine';
import { FaultWorld } from '../support/fault-world';
import { waitFor } from '../support/millrace-process';
import { MASTER, RedisCluster, SentinelSet } from '../support/redis-topologies';

const FAILOVER_MS = 60_000;

it('goes on behind Sentinel when the primary dies: nothing is lost that the replicas had, nothing starts twice', async () => {
  await using set = await SentinelSet.start();
  const first = await set.primary();
  await using world = await FaultWorld.start({ topology: { url: set.url, redis: first } });
  const api = await world.server();
  world.worker(20);
  await world.submitMany(api, 100);
  await world.until(api, 'processing', 20);
  await waitFor('the replicas to be in step', async () => ((await set.inStep()) ? true : null));
  first.kill9();
  await waitFor('another primary', async () => ((await set.primary()) === first ? null : true), FAILOVER_MS);
  await world.health(api, 200, FAILOVER_MS);
  world.open();
  await world.until(api, 'completed', 100, FAILOVER_MS);
  expect(world.runs).toHaveLength(100);
  expect(await world.violations()).toEqual([]);

  // The old primary comes back as a replica, and nobody writes to it.
  await first.restart();
  await waitFor('it to follow', async () => ((await set.primary()) === first ? null : true), FAILOVER_MS);
  const task = await api.submit({ task_type: 'gated', payload: world.payload() });
  await api.until(task.id, 'completed');
});

it('connects again when a failover is told while it connects', async () => {
  await using set = await SentinelSet.start();
  const { nodes } = parseRedisUrl(set.url);
  const options = { ...redisAt(await set.primary()), kind: 'sentinel' as const, nodes, master: MASTER };
  const connection = openConnection(options, 'command', 'test', silentLog);
  expect(await whenReady(connection, 5000)).toBe(true);
  // What the client's watch for failovers does: it may come from the connection before, and find the next one half made.
  connection.once('reconnecting', () => connection.once('connecting', endsConnecting));
  const ended = new Promise((resolve) => connection.once('end', resolve));
  function endsConnecting() {
    const connector: { disconnect(): void } = Reflect.get(connection, 'connector');
    connector.disconnect();
  }
  await connection.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no').catch(() => undefined);
  await ended;
  expect(await whenReady(connection, 5000)).toBe(true);
  expect(await connection.ping()).toBe('PONG');
  closeConnection(connection);
});

it('goes on in a Cluster when a master dies: its queue fails over, the others are not touched', async () => {
  await using cluster = await RedisCluster.start();
  const victim = await cluster.masterOf('default');
  const other = await queueOutside(cluster, victim.port);
  await using world = await FaultWorld.start({ topology: { url: cluster.url, redis: victim } });
  const api = await world.server();
  world.worker(10);
  world.worker(10);
  await world.submitMany(api, 50);
  await world.submitMany(api, 50, 'gate', other);
  await world.until(api, 'processing', 20);
  victim.kill9();
  world.open();
  await waitFor(
    'another master',
    async () => ((await cluster.masterOf('default').catch(() => victim)) === victim ? null : true),
    FAILOVER_MS,
  );
  await world.until(api, 'completed', 100, FAILOVER_MS);
  expect(new Set(world.runs).size).toBe(100);
  expect(await world.violations()).toEqual([]);
});

it('goes on in a Cluster while the slot of its queue moves to another node', async () => {
  await using cluster = await RedisCluster.start();
  const [from, to] = cluster.nodes;
  if (from === undefined || to === undefined) throw new Error('no nodes');
  const queue = await cluster.queueWithSlotBelow(300); // a reshard moves the lowest slots first
  await using world = await FaultWorld.start({ topology: { url: cluster.url, redis: from } });
  const api = await world.server();
  world.worker(10);
  world.open();
  await world.submitMany(api, 200, 'gate', queue);
  expect(await cluster.masterOf(queue)).toBe(from);
  const moving = cluster.moveSlots(from, to, 300);
  let submitted = 200;
  const moved = moving.then(() => true);
  while (!(await Promise.race([moved, submitSome()]))) submitted += 20;
  async function submitSome(): Promise<false> {
    await world.submitMany(api, 20, 'gate', queue);
    return false;
  }
  await moving;
  expect(await cluster.masterOf(queue)).toBe(to);
  const { total } = await world.stats(api);
  expect(total).toBeGreaterThanOrEqual(submitted);
  await world.until(api, 'completed', total, FAILOVER_MS);
  expect(await world.violations()).toEqual([]);
});

it.each([
  ['its counters', /:meta$/],
  ['all but its counters', /:(?!meta$)[^:]+$/],
] as const)('shows a queue of a Cluster whole or not at all while %s have moved to another node', async (_, keys) => {
  await using cluster = await RedisCluster.start();
  const from = await cluster.masterOf('default');
  const to = await cluster.masterOf(await queueOutside(cluster, from.port));
  await using world = await FaultWorld.start({ topology: { url: cluster.url, redis: from } });
  const { engine, reader } = world.engine;
  const ids = await submitAll(world.engine, [{}, {}, {}]);
  const hasty = world.connect(300);
  await hasty.whenReady(5000);
  await hasty.reader.getTasks(ids);
  const finish = await cluster.beginMove('default', from, to, keys);
  const unreachable = { code: 'REDIS_UNREACHABLE' };
  await expect(hasty.reader.getTasks(ids)).rejects.toMatchObject(unreachable);
  await expect(workOnce(hasty)).rejects.toMatchObject(unreachable);
  await expect(hasty.engine.submit(taskSpec())).rejects.toMatchObject(unreachable);
  await expect(hasty.engine.cancel(ids, 'test')).rejects.toMatchObject(unreachable);
  await finish();
  await hasty.close();
  expect((await reader.getTasks(ids)).map((task) => task?.status)).toEqual(['pending', 'pending', 'pending']);
  expect((await reader.queueState('default'))?.counts.pending).toBe(3);
  expect((await engine.cancel(ids, 'test')).length).toBe(3);
  expect(await world.violations()).toEqual([]);
});

async function queueOutside(cluster: RedisCluster, port: number): Promise<string> {
  for (let n = 0; ; n++) if ((await cluster.masterOf(`q${n}`)).port !== port) return `q${n}`;
}
