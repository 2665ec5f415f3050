import { describe, expect, it } from 'vitest';
import { failure, submitAll, workOnce } from '../support/engine';
import { apiOfEachTest, startApi } from '../support/real-api';

const world = apiOfEachTest();

async function bury(count: number): Promise<string[]> {
  const ids = await submitAll(
    world.api.connected,
    Array.from({ length: count }, () => ({})),
  );
  const { claimed } = await workOnce(world.api.connected, { want: count });
  await workOnce(world.api.connected, {
    want: 0,
    settles: claimed.map(({ id, token }) => ({ kind: 'dead', id, token, error: failure() })),
  });
  return ids;
}

const ended = (id: string) =>
  expect
    .poll(async () => (await world.api.call('GET', `/api/operations/${id}`)).body.state, { timeout: 10_000 })
    .toBe('done');

describe('the dead-letter queue', () => {
  it('is looked at, planned and requeued', async () => {
    await bury(30);
    expect((await world.api.call('GET', '/api/dlq?limit=10')).body).toMatchObject({ total: 30 });
    expect((await world.api.call('GET', '/api/dlq/groups')).body.groups).toMatchObject([
      { count: 30, task_type: 'noop' },
    ]);
    const plan = await world.api.call('POST', '/api/dlq/requeue', { filter: {}, dry_run: true });
    expect(plan.body).toMatchObject({ matched: 30, by_queue: { default: 30 } });
    expect(plan.body.samples).toHaveLength(20);
    const changed = await world.api.call('POST', '/api/dlq/requeue', { filter: {}, expected_count: 20 });
    expect([changed.status, changed.body.code]).toEqual([409, 'COUNT_CHANGED']);
    const started = await world.api.call('POST', '/api/dlq/requeue', { filter: {}, expected_count: 31 });
    expect(started.status).toBe(202);
    await ended(started.body.id);
    expect((await world.api.call('GET', '/api/dlq')).body.total).toBe(0);
    expect((await world.api.call('GET', '/api/tasks/stats/overview')).body.pending).toBe(30);
    expect((await world.api.call('GET', '/api/audit')).body.audit[0]).toMatchObject({
      action: 'operation.requeue',
      target: started.body.id,
    });
  });

  it('is purged of what is in it, and of nothing else', async () => {
    const dead = await bury(2);
    const [alive = ''] = await submitAll(world.api.connected, [{}]);
    const { body } = await world.api.call('POST', '/api/dlq/purge', { ids: [...dead, alive], confirm: true });
    await ended(body.id);
    expect((await world.api.call('GET', `/api/tasks/${dead[0]}`)).status).toBe(404);
    expect((await world.api.call('GET', `/api/tasks/${alive}`)).status).toBe(200);
  });
});

it('reprioritises, and can be steered while it works', async () => {
  await submitAll(
    world.api.connected,
    Array.from({ length: 300 }, () => ({})),
  );
  const { body } = await world.api.call('POST', '/api/operations', {
    action: 'reprioritise',
    priority: 10,
    filter: { status: 'pending' },
    rate: 1,
  });
  expect((await world.api.call('POST', `/api/operations/${body.id}/pause`)).body.state).toBe('paused');
  expect((await world.api.call('POST', `/api/operations/${body.id}/pause`)).status).toBe(409);
  expect((await world.api.call('POST', `/api/operations/${body.id}/resume`)).body.state).toBe('running');
  expect((await world.api.call('POST', `/api/operations/${body.id}/abort`)).body.state).toBe('aborted');
  expect((await world.api.call('GET', '/api/operations')).body.operations).toHaveLength(1);
});

describe('a queue', () => {
  it('is paused, limited, resumed and purged', async () => {
    await submitAll(world.api.connected, [{}, {}]);
    expect((await world.api.call('POST', '/api/queues/default/pause')).body.paused).toBe(true);
    expect((await workOnce(world.api.connected)).claimed).toEqual([]);
    expect((await world.api.call('POST', '/api/queues/default/resume')).body.paused).toBe(false);
    expect(
      (
        await world.api.call('PUT', '/api/queues/default/limits', {
          concurrency: 1,
          rate: { max: 100, per: 1 },
          target_age: 2.5,
        })
      ).body.limits,
    ).toEqual({
      concurrency: 1,
      rate: { max: 100, per: 1 },
      target_age: 2.5,
      aging: null,
      durability: null,
      shards: 1,
    });
    expect((await world.api.call('PUT', '/api/queues/default/limits', { rate: null })).body.limits).toEqual({
      concurrency: 1,
      rate: null,
      target_age: 2.5,
      aging: null,
      durability: null,
      shards: 1,
    });
    expect((await workOnce(world.api.connected, { want: 5 })).claimed).toHaveLength(1);
    expect((await world.api.call('POST', '/api/queues/default/purge', { confirm: 'default' })).body.removed).toBe(1);
    expect((await world.api.call('GET', '/api/queues/default')).body.depth).toMatchObject({
      pending: 0,
      processing: 1,
    });
    expect((await world.api.call('GET', '/api/audit?limit=1')).body.audit[0]).toMatchObject({
      action: 'queue.purge',
      target: 'default',
      by: 'local',
    });
  });

  it('can be paused before its first task, which then waits', async () => {
    expect((await world.api.call('POST', '/api/queues/later/pause')).body).toMatchObject({
      name: 'later',
      paused: true,
    });
    const { body } = await world.api.call('POST', '/api/tasks', { task_type: 'noop', queue: 'later' });
    expect((await workOnce(world.api.connected, { queue: 'later' })).claimed).toEqual([]);
    const { reasons } = (await world.api.call('GET', `/api/tasks/${body.id}/explain`)).body;
    expect(reasons.map(({ code }: { code: string }) => code)).toContain('paused');
  });
});

it('keeps API keys in Redis, and asks for them where it must', async () => {
  const made = await world.api.call('POST', '/api/keys', { name: 'ci', role: 'viewer' });
  const guarded = await startApi(world.redis, { redisIsLoopback: false });
  const bearer = { authorization: `Bearer ${made.body.key}` };
  expect((await guarded.call('GET', '/api/tasks')).status).toBe(401);
  expect((await guarded.call('GET', '/api/tasks', undefined, bearer)).status).toBe(200);
  expect((await guarded.call('POST', '/api/tasks', { task_type: 'noop' }, bearer)).status).toBe(403);
  await world.api.call('DELETE', `/api/keys/${made.body.id}`);
  await expect
    .poll(async () => (await guarded.call('GET', '/api/tasks', undefined, bearer)).status, { timeout: 5000 })
    .toBe(401);
  await guarded.stop();
});

it('tells workers, types, metrics and time series of a live system', async () => {
  const { directory } = world.api.connected;
  const now = '2026-01-31T12:00:00.000Z';
  await directory.announceTypes([
    { task_type: 'noop', description: 'Nothing', payload_schema: { type: 'object' }, timeout: null },
  ]);
  await directory.beat({
    id: 'w1',
    host: 'h',
    pid: 1,
    version: '1',
    state: 'running',
    pool: null,
    queues: [{ name: 'default', weight: 1 }],
    task_types: ['noop'],
    concurrency: 1,
    running: [],
    completed: 0,
    failed: 0,
    memory_bytes: 1,
    event_loop_lag_ms: 0,
    blocked: false,
    started_at: now,
  });
  expect((await world.api.call('GET', '/api/workers')).body.workers).toHaveLength(1);
  expect((await world.api.call('GET', '/api/task-types')).body.task_types[0]).toMatchObject({
    task_type: 'noop',
    workers: ['w1'],
  });
  expect((await world.api.call('POST', '/api/tasks', { task_type: 'noop' })).body.warnings).toBeUndefined();
  expect((await world.api.call('POST', '/api/workers/w1/quiet')).status).toBe(202);
  expect(
    (await world.api.call('GET', '/api/metrics/timeseries?range=10m&step=10s')).body.points.length,
  ).toBeGreaterThan(50);
  await expect
    .poll(async () => (await world.api.call('GET', '/metrics')).text, { timeout: 5000 })
    .toContain('millrace_task_events_total{event="created"} 1');
});
