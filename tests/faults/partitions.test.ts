/** A network that falls in two between Redis and its replica, and one that is too slow to be one. */
import { expect, it } from 'vitest';
import { WORKER_TTL_MS } from '#queue/engine/worker-directory';
import { FaultWorld, LEASE_MS } from '../support/fault-world';
import { waitFor } from '../support/millrace-process';
import { RedisProxy } from '../support/redis-proxy';
import { startRedis } from '../support/redis-server';
import { ask } from '../support/redis-topologies';

const MAX_LAG_S = 2;

it('accepts nothing on a primary that is cut off from its replica (min-replicas-to-write), and goes on when it is not', async () => {
  const limits = ['--min-replicas-to-write', '1', '--min-replicas-max-lag', String(MAX_LAG_S)];
  await using world = await FaultWorld.start({ redis: ['--repl-diskless-sync-delay', '0', ...limits] });
  const between = await RedisProxy.before(world.redis);
  const replica = await startRedis({ args: ['--replicaof', between.host, String(between.port)] });
  try {
    await waitFor('the replica', async () =>
      /min_slaves_good_slaves:1/.test(await ask(world.redis, 'INFO', 'replication')) ? true : null,
    );
    const api = await world.server();
    await world.running(api, 5);
    await world.submitMany(api, 5);

    between.hold();
    const cut = performance.now();
    let before = 0;
    const refused = await waitFor('a submit to be refused', async () => {
      before = performance.now() - cut;
      const answer = await api.call('POST', '/api/tasks', { task_type: 'gated', payload: world.payload() });
      return answer.status === 201 ? null : answer;
    });
    // The old primary takes writes for as long as the lag that it may have, and not longer: what it took is its alone.
    expect(before).toBeLessThan((MAX_LAG_S + 2) * 1000);
    expect([refused.status, await refused.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'REDIS_UNREACHABLE' }),
    ]);
    await world.until(api, 'processing', 5); // reading goes on
    // The other side has made itself a primary: all that was accepted before is there.
    await ask(replica, 'REPLICAOF', 'NO', 'ONE');
    for (const id of world.accepted)
      expect((await ask(replica, '--scan', '--pattern', `*${id}*`)).split('\n')).not.toEqual(['']);

    world.open(); // the results have nowhere to go, and no heartbeat has, for longer than leases and workers last
    const since = performance.now();
    await waitFor('all of that to be over by any clock', () =>
      performance.now() - since > WORKER_TTL_MS + 1000 ? true : null,
    );
    expect(world.runs).toHaveLength(5);
    await world.until(api, 'processing', 5);

    await ask(replica, 'REPLICAOF', between.host, String(between.port));
    between.heal();
    await waitFor('submits to be accepted', async () => {
      const answer = await api.call('POST', '/api/tasks', { task_type: 'gated', payload: world.payload() });
      return answer.status === 201 ? true : null;
    });
    const { total } = await world.stats(api);
    await world.until(api, 'completed', total);
    expect(world.runs).toHaveLength(total); // each once
    expect(await world.violations()).toEqual([]);
  } finally {
    await between.close();
    await replica.stop();
  }
});

it('takes a way whose answers come after 1.5 s for none: the work goes elsewhere, nothing is made twice, and it is back when the way is', async () => {
  await using world = await FaultWorld.start();
  const proxy = await RedisProxy.before(world.redis);
  const api = await world.server();
  const slow = world.worker(5, { redis: proxy });
  await world.submitMany(api, 5);
  await world.until(api, 'processing', 5);
  const jitter = setInterval(() => {
    proxy.delayMs = 1000 + Math.random() * 2000; // 2 s ± 1 s, each way
  }, 50);
  try {
    world.worker(5);
    await waitFor('the five to start elsewhere', () => (world.runs.length === 10 ? true : null), LEASE_MS * 2);
  } finally {
    clearInterval(jitter);
  }
  world.open();
  await world.until(api, 'completed', 5);
  proxy.delayMs = 0;
  await waitFor('the slow one to hear that its leases are lost', () => (/lost/i.test(slow.err) ? true : null));
  await waitFor('both to be there', async () => ((await world.stats(api)).workers === 2 ? true : null));
  expect(world.runs).toHaveLength(10);
  for (const id of world.accepted) expect(await api.task(id)).toMatchObject({ status: 'completed', attempts: 2 });
  expect(await world.violations()).toEqual([]);
  await proxy.close();
});
