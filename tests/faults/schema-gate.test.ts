/**
 * A store in a layout that this program does not know: one of a newer version, as in a rolling upgrade over a change of
 * the layout. It is left alone as a whole, and everybody is told why.
 */
import { expect, it } from 'vitest';
import { createKeys } from '#queue/redis/keys';
import { FaultWorld } from '../support/fault-world';
import { waitFor } from '../support/millrace-process';

const KEYS = createKeys('mr');
const PLACES: [what: string, place: string, layout: string, told: RegExp][] = [
  [
    'a queue of a newer version',
    KEYS.meta('default'),
    '2',
    /queue default is in layout 2, .* knows layout 1 only.*Upgrade/,
  ],
  ['a store of a newer version', KEYS.meta('_sys'), '2', /the store is in layout 2, .* knows layout 1 only.*Upgrade/],
  [
    'a queue of an older version',
    KEYS.meta('default'),
    '0',
    /queue default is in layout 0, .*Use the version that wrote it/,
  ],
];

it.each(PLACES)('leaves %s alone while it runs, says so once, and goes on when it is as before', async (...row) => {
  const [, place, layout, told] = row;
  await using world = await FaultWorld.start();
  const api = await world.server();
  const worker = await world.running(api, 5);
  await world.submitMany(api, 5);
  await look(world, (redis) => redis.hset(place, 'schema', layout));
  await world.health(api, 503);
  // Scripts refuse a queue as they run. Of the whole store each part hears within five seconds: the thread of leases too.
  const parts = place === KEYS.meta('_sys') ? 2 : 1;
  await waitFor('the worker to say so', () => (errorsOf(worker.err, told).length >= parts ? true : null));
  const before = await contents(world);
  world.open(); // handlers end, and have nowhere to write it
  const until = performance.now() + 4000; // time itself is the fault
  while (performance.now() < until) {
    for (const [method, path, body] of [
      ['POST', '/api/tasks', { task_type: 'gated', payload: world.payload() }],
      ['GET', '/api/tasks', undefined],
      ['GET', '/api/queues', undefined],
      ['POST', '/api/queues/default/pause', {}],
    ] as const) {
      const answer = await api.call(method, path, body);
      expect([path, answer.status]).toEqual([path, 503]);
      expect(await answer.json()).toMatchObject({ code: 'STORE_LAYOUT', detail: expect.stringMatching(told) });
    }
  }
  expect(await (await api.call('GET', '/health')).json()).toMatchObject({
    status: 'degraded',
    redis: 'up',
    detail: expect.stringMatching(told),
  });
  const session = await api.call('GET', '/api/session');
  expect(await session.json()).toMatchObject({ store_refusal: expect.stringMatching(told) });
  expect(await contents(world)).toEqual(before);
  expect(errorsOf(worker.err, told).filter((line) => !line.includes('"part":"leases"'))).toHaveLength(1);
  expect(linesOf(worker.err, told).length).toBeLessThan(12); // each of its parts says once that it cannot go on
  await look(world, (redis) =>
    place === KEYS.meta('_sys') ? redis.hdel(place, 'schema') : redis.hset(place, 'schema', '1'),
  );
  await world.health(api, 200);
  await world.until(api, 'completed', 10);
  expect(await world.violations()).toEqual([]);
});

it.each(PLACES)('starts nothing on %s: a worker ends, a server answers why, the doctor tells it', async (...row) => {
  const [, place, layout, told] = row;
  await using world = await FaultWorld.start();
  const api = await world.server();
  await world.submitMany(api, 3);
  await world.end();
  await look(world, (redis) => redis.hset(place, 'schema', layout));
  const before = await contents(world);
  const worker = await world.worker().ended;
  expect(worker.code).toBe(3);
  expect(linesOf(worker.err, told)).toHaveLength(1);
  expect(worker.err.trim().split('\n')).toHaveLength(1);
  const later = await world.server();
  const health = await later.call('GET', '/health');
  expect([health.status, await health.json()]).toEqual([
    503,
    expect.objectContaining({ detail: expect.stringMatching(told) }),
  ]);
  expect((await later.call('GET', '/readyz')).status).toBe(503);
  expect((await later.call('POST', '/api/tasks', { task_type: 'gated', payload: world.payload() })).status).toBe(503);
  const doctor = await world.process(['doctor']).ended;
  expect([doctor.code, doctor.out]).toEqual([1, expect.stringMatching(/store layout/)]);
  expect(doctor.out).toMatch(/layout [02]/);
  expect(await contents(world)).toEqual(before);
  await look(world, (redis) => redis.hset(place, 'schema', '1'));
  await world.health(later, 200);
  expect((await world.stats(later)).pending).toBe(3);
});

const linesOf = (text: string, told: RegExp) => text.split('\n').filter((line) => told.test(line));

/** Lines that say it themselves: each part of the worker adds one of its own about what it cannot do. */
const errorsOf = (text: string, told: RegExp) =>
  linesOf(text, told).filter((line) => told.test(/"msg":"(.*)"/.exec(line)?.[1] ?? ''));

/** On a connection beside the engine, which keeps to its layout. */
async function look<T>(
  { engine }: FaultWorld,
  ask: (redis: ReturnType<typeof engine.store.open>) => Promise<T>,
): Promise<T> {
  const connection = engine.store.open('command', 'look');
  try {
    await waitFor('the connection', () => (connection.status === 'ready' ? true : null));
    return await ask(connection);
  } finally {
    engine.store.release(connection);
  }
}

/** All that lies in Redis and does not end by itself: heartbeats and locks may. */
function contents(world: FaultWorld): Promise<Record<string, string>> {
  return look(world, async (redis) => {
    const found: Record<string, string> = {};
    for (const key of (await redis.keys('*')).sort())
      if ((await redis.pttl(key)) === -1) found[key] = String(await redis.call('DUMP', key));
    return found;
  });
}
