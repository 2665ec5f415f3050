import { expect, it } from 'vitest';
import { LIMITS } from '#queue/contract/limits';
import { failure, submitAll, workOnce } from '../support/engine';
import { apiOfEachTest } from '../support/real-api';

const world = apiOfEachTest();

const STACK = 'Error: read ECONNRESET\n    at capture (/srv/psp.ts:118:2)\n    at node:internal/x:1:1';

/** Submits and fails for good, by the workers in turn. */
async function bury(
  payloads: readonly object[],
  queue = 'default',
  stack: string | null = STACK,
  message = 'read ECONNRESET 1234',
): Promise<void> {
  const specs = payloads.map((payload) => ({ queue, payload: JSON.stringify(payload), maxRetries: 0 }));
  await submitAll(world.api.connected, specs);
  for (let n = 0; n < payloads.length; n += 500) {
    const { claimed } = await workOnce(world.api.connected, { queue, want: 500, workerId: 'w1' });
    const error = { ...failure(message), stack };
    const settles = claimed.map(({ id, token }) => ({ kind: 'fail' as const, id, token, retryInMs: 0, error }));
    await workOnce(world.api.connected, { queue, want: 0, settles });
  }
}

const group = async () => (await world.api.call('GET', '/api/dlq/groups/abcdef12')).body;
const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);

it('lists where and when failures with one cause came in, over all queues', async () => {
  await bury([{}, {}]);
  await bury([{}], 'other');
  const { groups } = (await world.api.call('GET', '/api/dlq/groups')).body;
  expect(groups).toMatchObject([
    {
      fingerprint: 'abcdef12',
      count: 3,
      sampled: 3,
      error: 'Error: read ECONNRESET 1234',
      message: 'read ECONNRESET 1234',
      top_frame: { function: 'capture', file: '/srv/psp.ts', line: 118, in_app: true },
    },
  ]);
  expect(groups[0].queues.sort()).toEqual(['default', 'other']);
  expect((await world.api.call('GET', '/api/tasks/stats/overview')).body).toMatchObject({
    failed: 3,
    failure_groups: 1,
  });
  expect(groups[0].series_24h).toHaveLength(24);
  expect(sum(groups[0].series_24h.slice(-2))).toBe(3); // the hour may end meanwhile
});

it('keeps a number that all failures of a group share, and marks one that differs', async () => {
  await bury([{}], 'default', STACK, '429 from world.api.mailwind.example after 12 ms');
  await bury([{}], 'other', STACK, '429 from world.api.mailwind.example after 7 ms');
  const { groups } = (await world.api.call('GET', '/api/dlq/groups')).body;
  const message = '429 from world.api.mailwind.example after ‹n› ms';
  expect(groups).toMatchObject([{ count: 2, message }]);
  expect(await group()).toMatchObject({ message });
});

it('says why tasks failed of which no handler ran', async () => {
  const { engine } = world.api.connected;
  const [id = ''] = await submitAll(world.api.connected, [{ expiresAt: 1000 }]);
  await submitAll(world.api.connected, [{ dependsOn: [id] }]);
  await engine.tick('default');
  await engine.tick('default');
  const { groups } = (await world.api.call('GET', '/api/dlq/groups')).body;
  const byName = new Map(groups.map((one: { error: string }) => [one.error.split(':')[0], one]));
  const message = 'expires_at passed before the task was started';
  expect(byName.get('ExpiredError')).toMatchObject({ error: `ExpiredError: ${message}`, message });
  expect(byName.get('DependencyError')).toMatchObject({ message: expect.stringContaining(`task ${id}, on which`) });
});

it('tells what the tasks of a group have in common, and the last success of their type', async () => {
  const [ok = ''] = await submitAll(world.api.connected, [{}]);
  const { claimed } = await workOnce(world.api.connected);
  await workOnce(world.api.connected, {
    settles: claimed.map(({ id, token }) => ({ kind: 'complete' as const, id, token, result: 'null' })),
  });
  await bury([1, 2, 9].map((amount) => ({ amount, card: { brand: 'visa' } })));
  await bury([{ amount: 5 }], 'default', 'Error: x\n    at elsewhere (/srv/other.ts:1:1)');
  const found = await group();
  expect(found).toMatchObject({
    count: 4,
    compared: 4,
    payloads: 4,
    workers: [{ worker_id: 'w1', host: null, count: 4 }],
    attempts: [{ attempts: 1, most: 1, count: 4 }],
    stack: [{ function: 'elsewhere', in_app: true }],
    stacks_equal: 1,
    last_success: { id: ok },
    series: { sampled: 4, minutes: { step: 60 }, hours: { step: 3600 } },
  });
  expect(found.series.minutes.counts).toHaveLength(30);
  expect(sum(found.series.minutes.counts.slice(-2))).toBe(4);
  expect(sum(found.series.hours.counts)).toBe(4);
  expect(Date.now() - Date.parse(found.series.minutes.from)).toBeLessThan(30 * 60_000 + 5000);
  expect(found.payload).toEqual([
    { path: 'amount', kind: 'number_range', present_in: 4, distinct: 4, min: 1, median: 3.5, max: 9 },
    { path: 'card.brand', kind: 'same', present_in: 3, value: 'visa', cut: false },
  ]);
  expect((await world.api.call('GET', '/api/dlq/groups/00000000')).status).toBe(404);
});

it('compares the newest of a large group, and says how many', async () => {
  await bury(Array.from({ length: LIMITS.groupListSample + 20 }, (_, n) => ({ n })));
  expect(await group()).toMatchObject({ count: LIMITS.groupListSample + 20, compared: LIMITS.groupCompared });
  const { groups } = (await world.api.call('GET', '/api/dlq/groups')).body;
  expect(groups[0]).toMatchObject({ count: LIMITS.groupListSample + 20, sampled: LIMITS.groupListSample });
  expect((await group()).last_success).toBeNull();
});

it('reads no more than its bound of long payloads', async () => {
  await bury(Array.from({ length: 120 }, () => ({ text: 'x'.repeat(200_000) })));
  const { compared, payloads, payload } = await group();
  expect(compared).toBeLessThanOrEqual(LIMITS.groupComparedBytes / 64 / 1024 + 25);
  expect(compared).toBeGreaterThan(25);
  expect([payloads, payload]).toEqual([0, []]);
});

it.each([0, 1])('shows the message of a group up to its bound, and not %i beyond', async (more) => {
  const words = 'wide '.repeat(LIMITS.groupMessageChars / 5);
  await bury([{}], 'default', STACK, words.trimEnd().padEnd(LIMITS.groupMessageChars + more, '!'));
  const { groups } = (await world.api.call('GET', '/api/dlq/groups')).body;
  expect(groups[0].message).toHaveLength(LIMITS.groupMessageChars);
  expect(groups[0].message.endsWith(more === 0 ? '!' : 'wide!')).toBe(true);
});
