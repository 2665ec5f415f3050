import { describe, expect, it } from 'vitest';
import type { PoolManager } from '#main/server/ports';
import { LIMITS } from '#queue/contract/limits';
import type { Pool } from '#queue/contract/worker';
import { createWorld, worker } from '../support/api-world';

describe('the dead-letter queue', () => {
  it('lists failed tasks only, by the filters of every list', async () => {
    const { call, queue } = createWorld();
    const { id } = queue.put({ status: 'failed', queue: 'emails' });
    queue.put({ status: 'failed' });
    queue.put({ queue: 'emails' });
    expect((await call('GET', '/api/dlq?queue=emails')).body.tasks.map((task: { id: string }) => task.id)).toEqual([
      id,
    ]);
    expect((await call('GET', '/api/dlq?status=failed')).body.total).toBe(2);
    expect((await call('GET', '/api/dlq?status=completed')).body.errors[0].path).toBe('status');
    expect((await call('GET', '/api/dlq?error=aa11')).status).toBe(200);
  });

  it('groups by fingerprint', async () => {
    const { call, queue } = createWorld();
    queue.put({ status: 'failed' });
    expect((await call('GET', '/api/dlq/groups')).body.groups[0]).toMatchObject({
      fingerprint: 'aa11',
      count: 1,
      task_type: 'email',
    });
  });

  it('tells of one group, with the hosts of workers that live', async () => {
    const { call, queue, workers } = createWorld();
    queue.put({ status: 'failed' });
    workers.push(worker({ id: 'w-1', host: 'box' }));
    const { body } = await call('GET', '/api/dlq/groups/aa11');
    expect(body.workers).toEqual([
      { worker_id: 'w-1', host: 'box', count: 2 },
      { worker_id: 'gone', host: null, count: 1 },
    ]);
    for (const fingerprint of ['bb22', '%20', 'x'.repeat(65)]) {
      const { status, body: problem } = await call('GET', `/api/dlq/groups/${fingerprint}`);
      expect([status, problem.code]).toEqual([404, 'NOT_FOUND']);
    }
  });

  it('is requeued by filter, of failed tasks only', async () => {
    const { call, operations } = createWorld();
    const { status, body } = await call('POST', '/api/dlq/requeue', {
      filter: { queue: 'emails' },
      rate: 5,
      limit: 10,
      expected_count: 3,
    });
    expect([status, body.action]).toEqual([202, 'requeue']);
    expect(operations).toEqual([
      {
        action: 'requeue',
        ids: null,
        filter: { queue: 'emails', status: 'failed' },
        limit: 10,
        rate: 5,
        priority: null,
        expectedCount: 3,
        by: 'local',
      },
    ]);
  });

  it('leaves tasks alone that are named but not in it', async () => {
    const { call, queue, operations } = createWorld();
    const failed = queue.put({ status: 'failed' });
    const done = queue.put({ status: 'completed' });
    await call('POST', '/api/dlq/purge', { ids: [failed.id, done.id, failed.id], confirm: true });
    expect(operations[0]).toMatchObject({ action: 'delete', ids: [failed.id], filter: null });
  });

  it('tells with dry_run what would be done, and does nothing', async () => {
    const { call, audit } = createWorld();
    const { status, body } = await call('POST', '/api/dlq/requeue', { filter: {}, dry_run: true });
    expect([status, body.matched]).toEqual([200, 1]);
    expect(audit).toEqual([]);
  });

  it('is purged only with confirm: true', async () => {
    const { call, operations } = createWorld();
    for (const confirm of [undefined, false, 'yes'])
      expect((await call('POST', '/api/dlq/purge', { filter: {}, confirm })).body.errors[0].path).toBe('confirm');
    expect(operations).toEqual([]);
    expect((await call('POST', '/api/dlq/purge', { filter: {}, confirm: true })).status).toBe(202);
  });

  it('refuses a canary with 501 until a later version', async () => {
    const { call, operations } = createWorld();
    expect((await call('POST', '/api/dlq/requeue', { filter: {}, canary: 5 })).status).toBe(501);
    expect(operations).toEqual([]);
  });

  it.each<[unknown, string]>([
    [{}, 'filter'],
    [{ ids: [], filter: {} }, 'ids'],
    [{ ids: ['x'] }, 'ids.0'],
    [{ filter: { colour: 1 } }, 'filter.colour'],
    [{ filter: { status: 'completed' } }, 'filter.status'],
    [{ filter: {}, rate: 0 }, 'rate'],
    [{ filter: {}, limit: 0 }, 'limit'],
    [{ filter: {}, limit: LIMITS.operationIds + 1 }, 'limit'],
    [{ filter: {}, expected_count: -1 }, 'expected_count'],
  ])('refuses %j, naming %s', async (body, path) => {
    const answer = await createWorld().call('POST', '/api/dlq/requeue', body);
    expect([answer.status, answer.body.errors[0].path]).toEqual([422, path]);
  });
});

describe('operations', () => {
  it('are started for any selection', async () => {
    const { call, operations, audit } = createWorld();
    expect(
      (
        await call('POST', '/api/operations', {
          action: 'reprioritise',
          priority: 9,
          filter: { status: ['pending', 'scheduled'], tag: 't' },
        })
      ).status,
    ).toBe(202);
    expect(operations[0]).toMatchObject({
      action: 'reprioritise',
      priority: 9,
      filter: { status: ['pending', 'scheduled'], tag: 't' },
    });
    expect(audit[0]).toMatchObject({ action: 'operation.reprioritise', target: 'op-1' });
  });

  it.each<[unknown, string]>([
    [{ action: 'reprioritise', filter: {} }, 'priority'],
    [{ action: 'delete', filter: {} }, 'confirm'],
    [{ action: 'explode', filter: {} }, 'action'],
  ])('refuse %j, naming %s', async (body, path) => {
    expect((await createWorld().call('POST', '/api/operations', body)).body.errors[0].path).toBe(path);
  });

  it('are listed, looked at, and steered', async () => {
    const { call } = createWorld();
    expect((await call('GET', '/api/operations')).body.operations).toHaveLength(1);
    expect((await call('GET', '/api/operations/op-1')).status).toBe(200);
    for (const verb of ['pause', 'resume', 'abort']) {
      expect((await call('POST', `/api/operations/op-1/${verb}`)).status).toBe(200);
      expect((await call('POST', `/api/operations/op-2/${verb}`)).body.code).toBe('OPERATION_NOT_FOUND');
    }
  });
});

describe('workers', () => {
  it('are listed, told to go quiet and to stop', async () => {
    const { call, workers, commands } = createWorld();
    workers.push(worker());
    expect((await call('GET', '/api/workers')).body.workers).toHaveLength(1);
    expect((await call('POST', '/api/workers/w-1/quiet')).status).toBe(202);
    expect((await call('POST', '/api/workers/w-1/stop')).status).toBe(202);
    expect(commands).toEqual([
      { id: 'w-1', command: 'quiet' },
      { id: 'w-1', command: 'stop' },
    ]);
    expect((await call('POST', '/api/workers/w-2/stop')).body.code).toBe('WORKER_NOT_FOUND');
  });

  it('are told with the types they serve, beside types that were announced or seen', async () => {
    const { call, workers, announced, queue } = createWorld();
    workers.push(worker());
    announced.push({ task_type: 'email', description: 'Sends', payload_schema: { type: 'object' }, timeout: 60 });
    queue.put({ type: 'seen' });
    const { body } = await call('GET', '/api/task-types');
    expect(body.task_types).toEqual([
      {
        task_type: 'email',
        description: 'Sends',
        payload_schema: { type: 'object' },
        timeout: 60,
        workers: ['w-1'],
        queues: ['default'],
      },
      { task_type: 'seen', description: null, payload_schema: null, timeout: null, workers: [], queues: [] },
    ]);
  });
});

describe('pools', () => {
  const pool: Pool = {
    id: 'p1',
    name: 'p',
    queues: [{ name: 'default', weight: 1 }],
    concurrency: 10,
    processes: 1,
    handlers: null,
    autoscale: null,
    members: [],
    exits: [],
    output: [],
    log: [],
    restarting: null,
  };
  const pools: PoolManager = {
    list: async () => [pool],
    create: async (asked) => ({ ...pool, ...asked }),
    patch: async (id, change) => (id === 'p1' ? { ...pool, processes: change.processes ?? 1 } : null),
    remove: async (id) => id === 'p1',
    restart: async (id) => (id === 'p1' ? pool : null),
    restartWorker: async (id) => (id === 'w-ours' ? pool : null),
  };

  it('are made with defaults, changed and removed', async () => {
    const { call } = createWorld({ pools });
    expect((await call('POST', '/api/pools', { name: 'x' })).body).toMatchObject({
      name: 'x',
      concurrency: 10,
      processes: 1,
    });
    expect((await call('PATCH', '/api/pools/p1', { processes: 3 })).body.processes).toBe(3);
    expect((await call('DELETE', '/api/pools/p1')).status).toBe(204);
    expect((await call('PATCH', '/api/pools/p2', { processes: 3 })).status).toBe(404);
    expect((await call('DELETE', '/api/pools/p2')).status).toBe(404);
  });

  it('are restarted, and their workers one by one; workers of others are not', async () => {
    const { call, workers, audit } = createWorld({ pools });
    workers.push(worker({ id: 'w-theirs' }));
    const restart = async (what: string) => {
      const { status, body } = await call('POST', `/api/${what}/restart`);
      return [status, body.code ?? body.id];
    };
    expect(await restart('pools/p1')).toEqual([202, 'p1']);
    expect(await restart('pools/p2')).toEqual([404, 'POOL_NOT_FOUND']);
    expect(await restart('workers/w-ours')).toEqual([202, 'p1']);
    expect(await restart('workers/w-theirs')).toEqual([409, 'CONFLICT']);
    expect(await restart('workers/w-none')).toEqual([404, 'WORKER_NOT_FOUND']);
    expect(audit.map(({ action, target }) => `${action} ${target}`)).toEqual([
      'worker.restart w-ours',
      'pool.restart p1',
    ]);
    const alone = createWorld({ pools: null });
    alone.workers.push(worker({ id: 'w-theirs' }));
    expect((await alone.call('POST', '/api/workers/w-theirs/restart')).status).toBe(409);
  });

  it('take queues as text too, as the command line does', async () => {
    const { call } = createWorld({ pools });
    const { status, body } = await call('POST', '/api/pools', { name: 'x', queues: ['emails', 'images=2', '*'] });
    expect([status, body.queues]).toEqual([
      201,
      [
        { name: 'emails', weight: 1 },
        { name: 'images', weight: 2 },
        { name: '*', weight: 1 },
      ],
    ]);
  });

  it.each<[unknown, string]>([
    [{}, 'name'],
    [{ name: 'x', concurrency: LIMITS.concurrency + 1 }, 'concurrency'],
    [{ name: 'x', processes: 65 }, 'processes'],
    [{ name: 'x', queues: [] }, 'queues'],
    [{ name: 'x', queues: ['a b'] }, 'queues.0.name'],
    [{ name: 'x', queues: ['a*'] }, 'queues.0.name'],
    [{ name: 'x', queues: ['emails=0'] }, 'queues.0.weight'],
    [{ name: 'x', queues: [5] }, 'queues.0'],
    [{ name: 'x', queues: ['emails', 'emails=2'] }, 'queues'],
    [{ name: 'x', autoscale: { min: 3, max: 2, target_latency: 1 } }, 'autoscale.min'],
    [{ name: 'x', threads: 1 }, 'threads'],
  ])('refuse %j, naming %s', async (body, path) => {
    expect((await createWorld({ pools }).call('POST', '/api/pools', body)).body.errors[0].path).toBe(path);
  });

  it('are none where this process runs none', async () => {
    const { call } = createWorld();
    expect((await call('GET', '/api/pools')).body.pools).toEqual([]);
    expect((await call('POST', '/api/pools', { name: 'x' })).status).toBe(409);
  });
});

describe('time series', () => {
  it('take durations with units, and choose a step', async () => {
    const { call } = createWorld();
    const of = async (query: string) => (await call('GET', `/api/metrics/timeseries${query}`)).body;
    expect(await of('')).toMatchObject({ range: 3600, step: 10, queue: null });
    expect(await of('?range=1h&step=10s&queue=emails')).toMatchObject({ range: 3600, step: 10, queue: 'emails' });
    expect(await of('?range=7d')).toMatchObject({ range: 604_800, step: 1680 });
    expect(await of('?range=90m&step=60')).toMatchObject({ range: 5400, step: 60 });
    expect(await of('?range=2000s&step=1s')).toMatchObject({ step: 1 });
  });

  it('tell the depths of the queues that are asked for, and of none without being asked', async () => {
    const { call } = createWorld();
    const of = async (query: string) => (await call('GET', `/api/metrics/timeseries${query}`)).body;
    const names = [{ queue: 'emails' }, { queue: 'reports' }];
    expect(await of('?depths=emails,reports')).toMatchObject({ queue: null, queue_depths: names });
    expect(await of('?depths=emails&depths=reports')).toMatchObject({ queue_depths: names });
    expect(await of('')).not.toHaveProperty('queue_depths');
  });

  it.each([
    'range=2001s&step=1s',
    'range=59s',
    'range=32d',
    'range=1w',
    'range=-1h',
    'range=',
    'step=0s',
    'range=1h&step=2d',
    'queue=a b',
    'depths=a b',
    'depths=',
    `depths=${Array.from({ length: 51 }, (_, n) => `q${n}`)}`,
  ])('refuse ?%s', async (query) => {
    expect((await createWorld().call('GET', `/api/metrics/timeseries?${query}`)).status).toBe(422);
  });
});

it('tells Prometheus of requests, queues, workers and events, by route and not by id', async () => {
  const { call, queue, workers } = createWorld();
  const { id } = queue.put();
  workers.push(worker());
  await call('GET', `/api/tasks/${id}`);
  const { status, text, headers } = await call('GET', '/metrics');
  expect([status, headers.get('content-type')]).toEqual([200, expect.stringContaining('text/plain')]);
  expect(text).toContain('millrace_http_requests_total{method="GET",route="/api/tasks/{id}",status="200"} 1');
  expect(text).toContain('millrace_queue_tasks{queue="default",status="pending"} 1');
  expect(text).toContain('millrace_workers 1');
  expect(text).toContain('millrace_task_events_total{event="completed"} 5');
  expect((await call('GET', '/metrics')).text).toContain('millrace_task_events_total{event="completed"} 5');
  expect(text).not.toContain(id);
});
