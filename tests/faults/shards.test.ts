/** A queue with shards in a Cluster: its parts lie on several masters, and to the API it is one queue. */
import { expect, it } from 'vitest';
import { workOnce } from '../support/engine';
import { FaultWorld } from '../support/fault-world';
import { RedisCluster } from '../support/redis-topologies';

const SHARDS = Array.from({ length: 8 }, (_, k) => (k === 0 ? 'default' : `default#${k}`));

it('spreads a queue over the masters of a Cluster, and works all of it off while their number changes', async () => {
  await using cluster = await RedisCluster.start();
  const masters = await Promise.all(SHARDS.map(async (shard) => (await cluster.masterOf(shard)).port));
  expect(new Set(masters).size).toBe(3);
  const [redis] = cluster.nodes;
  if (redis === undefined) throw new Error('no node');
  await using world = await FaultWorld.start({ topology: { url: cluster.url, redis } });
  const api = await world.server();
  const setShards = async (shards: number) => {
    const answer = await api.call('PUT', '/api/queues/default/limits', { shards });
    expect(await answer.json()).toMatchObject({ name: 'default', limits: { shards } });
  };
  await world.submitMany(api, 100);
  await setShards(8);
  await world.submitMany(api, 300);
  const { reader, engine } = world.engine;
  expect((await reader.queueState('default'))?.counts.pending).toBe(400);
  expect((await workOnce(world.engine, { queue: 'default#7', types: ['nothing'] })).claimed).toEqual([]);
  const ids = await reader.listIds({ queue: 'default' }, 1000);
  expect(ids.toSorted()).toEqual([...world.accepted].toSorted());
  world.worker(20);
  await world.until(api, 'processing', 20);
  await setShards(2);
  await world.submitMany(api, 200);
  world.open();
  await world.until(api, 'completed', 600);
  expect(new Set(world.runs).size).toBe(600);
  expect(world.runs).toHaveLength(600);
  expect(await engine.purge('default')).toBe(0);
  expect(await world.violations()).toEqual([]);
});

it('works a queue off when the master of some of its shards dies, and is replaced', async () => {
  await using cluster = await RedisCluster.start();
  const victim = await cluster.masterOf('default#1');
  const redis = cluster.nodes.find((node) => node !== victim);
  if (redis === undefined) throw new Error('no node');
  await using world = await FaultWorld.start({ topology: { url: cluster.url, redis } });
  const api = await world.server();
  await api.call('PUT', '/api/queues/default/limits', { shards: 8 });
  await world.submitMany(api, 200);
  world.worker(10);
  world.worker(10);
  await world.until(api, 'processing', 20);
  victim.kill9();
  world.open();
  await world.until(api, 'completed', 200, 60_000);
  expect(new Set(world.runs).size).toBe(200);
  expect(await world.violations()).toEqual([]);
});
