/** What hands do to the keys in Redis, or to its settings, while servers and workers are at work. */
import { describe, expect, it } from 'vitest';
import { SystemState } from '#queue/contract/session';
import { FaultWorld } from '../support/fault-world';
import { type TestApi, waitFor } from '../support/millrace-process';

/** A rest of the look for damage, a page, and some. */
const REPAIRED_MS = 15_000;

const key = (world: FaultWorld, name: string, queue = 'default') => world.engine.store.keys.of(queue, name);
const call = (world: FaultWorld, name: string, ...args: string[]) =>
  world.engine.store.command('fault', (redis) => redis.call(name, ...args));
const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;

/** Catalogue 24. Every set by itself: tests/redis/repair.test.ts. */
describe('a key that is deleted by hand', () => {
  it('sets of tasks: every task is done, and none twice', async () => {
    await using world = await FaultWorld.start();
    const api = await world.server();
    world.worker(10);
    await world.submitMany(api, 5, 'first');
    world.open('first');
    await world.until(api, 'completed', 5);
    await world.submitMany(api, 30);
    await world.until(api, 'processing', 10);
    await call(world, 'DEL', ...['pending', 'leases', 'completed'].map((name) => key(world, name)));
    await world.until(api, 'pending', 20, REPAIRED_MS);
    await world.until(api, 'processing', 10, REPAIRED_MS);
    await world.until(api, 'completed', 5, REPAIRED_MS);
    world.open();
    await world.until(api, 'completed', 35);
    expect(world.runs).toHaveLength(35);
    expect(await world.violations()).toEqual([]);
  });

  it('the lease of a worker that dies then: its task runs elsewhere all the same', async () => {
    await using world = await FaultWorld.start();
    const api = await world.server();
    const victim = await world.running(api, 5);
    await call(world, 'DEL', key(world, 'leases'));
    victim.signal('SIGKILL');
    await victim.ended;
    world.worker(5);
    world.open();
    await world.until(api, 'completed', 5, 2 * REPAIRED_MS);
    expect(await world.violations()).toEqual([]);
  });

  it('records of tasks: those are gone from every count and list, and the others go on', async () => {
    await using world = await FaultWorld.start();
    const api = await world.server();
    world.worker(5);
    await world.submitMany(api, 20);
    await world.until(api, 'processing', 5);
    const ids = [...world.accepted];
    const victims = [...ids.slice(0, 2), ...ids.slice(-2)]; // two that run, two that wait
    await call(world, 'DEL', ...victims.map((id) => key(world, `t:${id}`)));
    for (const id of victims) world.accepted.delete(id);
    await waitFor('their ids to go', async () => ((await world.stats(api)).total === 16 ? true : null), REPAIRED_MS);
    world.open();
    await world.until(api, 'completed', 16);
    for (const id of victims) expect((await api.call('GET', `/api/tasks/${id}`)).status).toBe(404);
    expect((await world.violations()).filter((what) => !what.includes('bytes are'))).toEqual([]);
    const doctor = await world.process(['doctor']).ended;
    expect(doctor.out).toMatch(/warn {2}queues .*4 in default/);
  });
});

/** Catalogue 25. */
it('names a key of the wrong type, does nothing to its queue, and goes on with all others', async () => {
  await using world = await FaultWorld.start();
  const api = await world.server();
  world.worker(2);
  await world.submitMany(api, 4, 'gate', 'hurt');
  await world.until(api, 'processing', 2);
  await call(world, 'DEL', key(world, 'completed', 'hurt'));
  await call(world, 'SET', key(world, 'completed', 'hurt'), 'planted');
  world.open(); // both slots of the worker are free for others from now on
  await world.submitMany(api, 20);
  await world.until(api, 'completed', 20);
  expect((await world.stats(api)).total).toBe(24);
  expect((await api.call('GET', '/api/queues')).status).toBe(200);
  const list = await api.call('GET', '/api/tasks?limit=100');
  expect(((await list.json()) as { tasks: unknown[] }).tasks).toHaveLength(24);
  const refused = await api.call('DELETE', `/api/tasks/${[...world.accepted][0]}`);
  expect([refused.status, await codeOf(refused)]).toEqual([500, 'STORE_DAMAGED']);
  const doctor = await world.process(['doctor']).ended;
  expect([doctor.code, doctor.out]).toEqual([
    1,
    expect.stringContaining('mr:{hurt}:completed is a string, not a zset'),
  ]);
  await call(world, 'DEL', key(world, 'completed', 'hurt'));
  await world.until(api, 'completed', 24);
  expect(new Set(world.runs).size).toBe(24);
  expect(await world.violations()).toEqual([]);
});

/** Catalogue 27. */
it('says within 10 s that Redis has been told to delete tasks when it is full', async () => {
  await using world = await FaultWorld.start();
  const api = await world.server();
  const policyOf = async (from: TestApi) =>
    SystemState.parse(await (await from.call('GET', '/api/system')).json()).redis.eviction_policy;
  const told = (policy: string) =>
    waitFor(`${policy} to be told`, async () => ((await policyOf(api)) === policy ? true : null), 10_000);
  await told('noeviction');
  await call(world, 'CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
  await told('allkeys-lru');
  const doctor = await world.process(['doctor']).ended;
  expect([doctor.code, doctor.out]).toEqual([1, expect.stringMatching(/FAIL {2}eviction policy .*deletes tasks/)]);
});

/** Catalogue 28: first Redis does not answer, then it answers BUSY, then the script is killed. */
it('goes on after a script of somebody else has kept Redis busy for 9 s, and starts nothing twice', async () => {
  await using world = await FaultWorld.start();
  const api = await world.server();
  await world.running(api, 10);
  const connection = world.engine.store.open('blocking', 'fault');
  const killer = world.engine.store.open('blocking', 'killer');
  await waitFor('two connections', () => (connection.status === 'ready' && killer.status === 'ready' ? true : null));
  const since = performance.now();
  const script = connection.call('EVAL', 'while true do end', '0').catch((error: unknown) => String(error));
  await world.health(api, 503);
  const refused = await api.call('POST', '/api/tasks', { task_type: 'gated', payload: world.payload() });
  expect([refused.status, await codeOf(refused)]).toEqual([503, 'REDIS_UNREACHABLE']);
  await waitFor('9 s', () => (performance.now() - since > 9000 ? true : null));
  await waitFor('the end of the script', async () => ((await killer.call('SCRIPT', 'KILL')) === 'OK' ? true : null));
  expect(await script).toContain('killed');
  for (const one of [connection, killer]) world.engine.store.release(one);
  world.open();
  await world.until(api, 'completed', 10);
  expect(world.runs).toHaveLength(10);
  expect((await world.stats(api)).total).toBe(10);
  expect(await world.violations()).toEqual([]);
});

/** Catalogue 26, with producers that do not stop. Small and without them: redis.test.ts, tests/redis/engine-life.test.ts. */
it('at its most memory takes nothing more in, drains, and takes tasks again when there is room', async () => {
  const filling = `
import { defineHandler, z } from 'millrace';
export default defineHandler({ type: 'filling', run: () => 'done' });
`;
  await using world = await FaultWorld.start({ handlers: { 'filling.ts': filling } });
  const api = await world.server();
  world.worker(20);
  const used = Number(/^used_memory:(\d+)/m.exec(String(await call(world, 'INFO', 'memory')))?.[1]);
  await call(world, 'CONFIG', 'SET', 'maxmemory', String(used + 8 * 1024 * 1024));
  const payload = { text: 'x'.repeat(20_000) };
  let accepted = 0;
  const produce = async () => {
    for (;;) {
      const tasks = Array.from({ length: 20 }, () => ({ task_type: 'filling', payload }));
      const answer = await api.call('POST', '/api/tasks/bulk', { tasks });
      if (answer.status !== 201) return [answer.status, await codeOf(answer)];
      accepted += 20;
      expect(accepted).toBeLessThan(5000);
    }
  };
  expect(await Promise.all([produce(), produce(), produce()])).toEqual(Array(3).fill([503, 'REDIS_FULL']));
  expect(accepted).toBeGreaterThan(100);
  const stored = (await world.stats(api)).total;
  await world.until(api, 'completed', stored);
  expect(stored).toBeGreaterThanOrEqual(accepted);
  expect(await world.violations()).toEqual([]);
  // Room can be made at the limit itself.
  const list = await api.call('GET', '/api/tasks?limit=50');
  const { tasks } = (await list.json()) as { tasks: { id: string }[] };
  for (const { id } of tasks) expect((await api.call('DELETE', `/api/tasks/${id}`)).status).toBe(204);
  const again = await waitFor('room', async () => {
    const answer = await api.call('POST', '/api/tasks', { task_type: 'filling', payload: {} });
    return answer.status === 201 ? ((await answer.json()) as { id: string }).id : null;
  });
  await api.until(again, 'completed');
});
