/** What the API shows of a queue with shards: one queue. */
import { expect, it } from 'vitest';
import { failure, submitAll, workOnce } from '../support/engine';
import { apiOfEachTest } from '../support/real-api';

const world = apiOfEachTest();

const limits = (body: object) => world.api.call('PUT', '/api/queues/hot/limits', body);
const post = (body: object) =>
  world.api.call('POST', '/api/tasks', { task_type: 'noop', queue: 'hot', payload: {}, ...body });

it('sets shards with the other limits, and refuses what cannot be', async () => {
  expect((await limits({ concurrency: 10 })).body.limits).toMatchObject({ concurrency: 10, shards: 1 });
  expect((await limits({ shards: 4 })).body.limits).toMatchObject({ concurrency: 10, shards: 4 });
  expect((await world.api.call('GET', '/api/queues/hot')).body.limits).toMatchObject({ concurrency: 10, shards: 4 });
  for (const shards of [0, 65, 1.5, '4']) expect((await limits({ shards })).status).toBe(422);
  const small = await limits({ concurrency: 3, shards: 4 });
  expect([small.status, small.body.code, small.body.errors]).toMatchObject([422, 'INVALID', [{ path: 'concurrency' }]]);
  const many = await limits({ concurrency: 10, shards: 11 });
  expect([many.status, many.body.errors]).toMatchObject([422, [{ path: 'shards' }]]);
  expect((await limits({ shards: null })).body.limits).toMatchObject({ concurrency: 10, shards: 1 });
});

it('shows one queue wherever a queue is named', async () => {
  await limits({ shards: 4 });
  const ids: string[] = [];
  for (let n = 0; n < 8; n++) ids.push((await post({ tags: ['t'] })).body.id);
  const queues = (await world.api.call('GET', '/api/queues')).body.queues;
  expect(queues).toMatchObject([{ name: 'hot', depth: { pending: 8 } }]);
  const listed = (await world.api.call('GET', '/api/tasks?queue=hot&status=pending')).body;
  expect([listed.total, listed.total_exact]).toEqual([8, true]);
  for (const id of ids) expect((await world.api.call('GET', `/api/tasks/${id}`)).body.queue).toBe('hot');
  expect((await world.api.call('GET', '/api/queues/hot/types')).body).toMatchObject({ queue: 'hot', pending_total: 8 });
  expect((await world.api.call('GET', '/api/queues/hot%231')).status).toBe(404);
  await world.api.call('POST', '/api/queues/hot/pause');
  const { reasons } = (await world.api.call('GET', `/api/tasks/${ids[3]}/explain`)).body;
  expect(reasons[0].message).toBe('the queue "hot" is paused');
  expect((await world.api.call('POST', '/api/queues/hot/purge', { confirm: 'hot' })).body).toEqual({
    queue: 'hot',
    removed: 8,
  });
});

it('answers a repeat with the first task after the shards have changed', async () => {
  const first = await post({ idempotency_key: 'k-2' });
  expect(first.status).toBe(201);
  await limits({ shards: 4 });
  const again = await post({ idempotency_key: 'k-2' });
  expect([again.status, again.body.id]).toEqual([200, first.body.id]);
});

it('requeues the dead letters of all shards by the name of the queue', async () => {
  await limits({ shards: 4 });
  await submitAll(
    world.api.connected,
    Array.from({ length: 1000 }, () => ({ queue: 'hot' })),
  );
  for (const queue of ['hot', 'hot#1', 'hot#2', 'hot#3']) {
    const { claimed } = await workOnce(world.api.connected, { queue, want: 5 });
    const settles = claimed.map(({ id, token }) => ({ kind: 'dead' as const, id, token, error: failure() }));
    await workOnce(world.api.connected, { queue, want: 0, settles });
  }
  const plan = await world.api.call('POST', '/api/dlq/requeue', { filter: { queue: 'hot' }, dry_run: true });
  expect(plan.body).toMatchObject({ matched: 20, by_queue: { hot: 20 } });
  await world.api.call('POST', '/api/dlq/requeue', { filter: { queue: 'hot' }, expected_count: 20 });
  await expect.poll(async () => (await world.api.call('GET', '/api/queues/hot')).body.depth.pending).toBe(1000);
});
