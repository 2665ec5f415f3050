import { expect, it } from 'vitest';
import { LIMITS } from '#queue/contract/limits';
import { failure, submitAll, workOnce } from '../support/engine';
import { apiOfEachTest } from '../support/real-api';

const world = apiOfEachTest();

const types = async () => (await world.api.call('GET', '/api/queues/default/types')).body;

it('tells of each task type of a queue what waits, what comes and goes, and what fails', async () => {
  await submitAll(world.api.connected, [{}, {}, { type: 'other' }]);
  const { claimed } = await workOnce(world.api.connected, { want: 2, types: ['noop'] });
  const [first, second] = claimed;
  if (!first || !second) throw new Error('nothing to claim');
  await workOnce(world.api.connected, {
    want: 0,
    settles: [
      { kind: 'complete', id: first.id, token: first.token, result: 'null' },
      { kind: 'dead', id: second.id, token: second.token, error: failure() },
    ],
  });
  await expect
    .poll(async () => (await types()).types, { timeout: 5000 })
    .toMatchObject([
      { task_type: 'other', pending: 1, running: 0, rate_in: 0.02, rate_out: 0, failing_share: null },
      { task_type: 'noop', pending: 0, rate_in: 0.03, rate_out: 0.03, failing_share: 0.5, failed_per_hour: 1 },
    ]);
  expect(await types()).toMatchObject({ queue: 'default', pending_total: 1, pending_sampled: 1 });
  const { body: queue } = await world.api.call('GET', '/api/queues/default');
  expect(queue).toMatchObject({ running: 0, slots: 0, fetching: 0, failing_share: 0.5, failed_per_hour: 1 });
  expect(queue.oldest_pending_at).not.toBeNull();
  const { body: stats } = await world.api.call('GET', '/api/tasks/stats/overview');
  expect(stats).toMatchObject({ failing_share: 0.5, dead_per_hour: 1, oldest_pending: { queue: 'default' } });
  expect((await world.api.call('GET', '/api/queues/nobody/types')).status).toBe(404);
});

it('looks at a sample of the pending tasks that is spread over all of them', async () => {
  const many = LIMITS.typeSample + 500;
  await submitAll(
    world.api.connected,
    Array.from({ length: many }, (_, n) => ({ type: n < many / 2 ? 'noop' : 'other' })),
  );
  const { pending_total, pending_sampled, types: found } = await types();
  expect([pending_total, pending_sampled]).toEqual([many, LIMITS.typeSample]);
  for (const { pending } of found) expect(Math.abs(pending / pending_sampled - 0.5)).toBeLessThan(0.02);
});
