import { describe, expect, it } from 'vitest';
import { claimOne, failure, workOnce } from '../support/engine';
import { apiOfEachTest } from '../support/real-api';

const world = apiOfEachTest();

const submit = async (task: Record<string, unknown> = {}) =>
  (await world.api.call('POST', '/api/tasks', { task_type: 'noop', ...task })).body;
const idsOf = (tasks: { id: string }[]) => tasks.map(({ id }) => id);
const settle = (task: { id: string; token: string }, dead: boolean) =>
  workOnce(world.api.connected, {
    want: 0,
    settles: [
      dead
        ? { kind: 'dead', ...ref(task), error: failure() }
        : { kind: 'complete', ...ref(task), result: '{"ok":true}' },
    ],
  });
const ref = ({ id, token }: { id: string; token: string }) => ({ id, token });

describe('a task', () => {
  it('goes in and comes back as it was given, to the byte of its payload', async () => {
    const given = {
      name: 'Ü 1',
      task_type: 'noop',
      queue: 'emails',
      priority: 9,
      payload: { text: 'nul \u0000 half \ud800 日本', n: 1.5, none: null, list: [1, [2]], toString: 'x', '': 'empty' },
      max_retries: 7,
      timeout: 1.5,
      backoff: { type: 'fixed', base: 2, max: 60, jitter: 0 },
      run_at: '2099-01-01T00:00:00.000Z',
      expires_at: '2099-02-01T00:00:00.000Z',
      tags: ['a', 'b|c;d,e%'],
      owner: 'ann',
      unique_key: 'u|1',
      idempotency_key: 'i%1',
    };
    const created = await submit(given);
    expect(created).toMatchObject({ ...given, status: 'scheduled', attempts: 0, result: null, error: null });
    expect((await world.api.call('GET', `/api/tasks/${created.id}`)).body).toMatchObject(given);
  });

  it('runs, and tells its result and its history', async () => {
    const { id } = await submit();
    const claimed = await claimOne(world.api.connected);
    expect((await world.api.call('GET', `/api/tasks/${id}`)).body).toMatchObject({
      status: 'processing',
      attempts: 1,
      worker_id: 'w1',
    });
    expect((await world.api.call('DELETE', `/api/tasks/${id}`)).status).toBe(409);
    expect((await world.api.call('PATCH', `/api/tasks/${id}`, { priority: 1 })).status).toBe(409);
    await settle(claimed, false);
    const { body } = await world.api.call('GET', `/api/tasks/${id}`);
    expect(body).toMatchObject({ status: 'completed', result: { ok: true }, progress: 100 });
    const { history } = (await world.api.call('GET', `/api/tasks/${id}/history`)).body;
    expect(history.map(({ event }: { event: string }) => event)).toEqual(['created', 'started', 'completed']);
    expect((await world.api.call('GET', `/api/tasks/${id}/logs`)).body).toEqual({ logs: [] });
    expect((await world.api.call('POST', `/api/tasks/${id}/cancel`)).status).toBe(409);
    expect((await world.api.call('POST', `/api/tasks/${id}/retry`)).status).toBe(409);
  });

  it('is changed, cancelled, retried and deleted', async () => {
    const { id } = await submit();
    expect(
      (
        await world.api.call('PATCH', `/api/tasks/${id}`, {
          priority: 10,
          payload: { a: 1 },
          name: 'n',
          tags: ['t'],
          max_retries: 0,
        })
      ).body,
    ).toMatchObject({ priority: 10, payload: { a: 1 }, name: 'n', tags: ['t'], max_retries: 0 });
    expect((await world.api.call('PATCH', `/api/tasks/${id}`, { run_at: '2099-01-01T00:00:00Z' })).body).toMatchObject({
      status: 'scheduled',
      run_at: '2099-01-01T00:00:00.000Z',
    });
    expect((await world.api.call('POST', `/api/tasks/${id}/cancel`)).body.status).toBe('cancelled');
    expect(
      (await world.api.call('POST', `/api/tasks/${id}/retry`, { priority: 2, payload: { b: 2 } })).body,
    ).toMatchObject({
      status: 'pending',
      priority: 2,
      payload: { b: 2 },
    });
    expect((await world.api.call('DELETE', `/api/tasks/${id}`)).status).toBe(204);
    expect((await world.api.call('GET', `/api/tasks/${id}`)).status).toBe(404);
    expect((await world.api.call('PATCH', `/api/tasks/${id}`, { priority: 1 })).status).toBe(404);
  });

  it('that runs is asked to stop', async () => {
    const { id } = await submit();
    await claimOne(world.api.connected);
    const { status, body } = await world.api.call('POST', `/api/tasks/${id}/cancel`);
    expect([status, body.status, body.cancel_requested]).toEqual([202, 'processing', true]);
  });

  it('waits for others, and says for whom', async () => {
    const first = await submit();
    const second = await submit({ depends_on: [first.id] });
    expect(second.status).toBe('blocked');
    const { reasons } = (await world.api.call('GET', `/api/tasks/${second.id}/explain`)).body;
    expect(reasons[0]).toMatchObject({ code: 'dependency', message: expect.stringContaining(first.id) });
  });

  it('says how many are before it', async () => {
    await submit({ priority: 9 });
    const { id } = await submit();
    expect((await world.api.call('GET', `/api/tasks/${id}/explain`)).body).toMatchObject({
      status: 'pending',
      position: 1,
    });
  });
});

describe('the same again', () => {
  it('is one task, however many ask at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        world.api.call('POST', '/api/tasks', { task_type: 'noop' }, { 'idempotency-key': 'k' }),
      ),
    );
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(19);
    expect((await world.api.call('GET', '/api/tasks')).body.total).toBe(1);
    const other = await world.api.call(
      'POST',
      '/api/tasks',
      { task_type: 'noop', priority: 1 },
      { 'idempotency-key': 'k' },
    );
    expect([other.status, other.body.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
  });

  it('is refused by its unique key until the first has ended', async () => {
    const first = await submit({ unique_key: 'u' });
    const second = await world.api.call('POST', '/api/tasks', { task_type: 'noop', unique_key: 'u' });
    expect([second.status, second.body.code]).toEqual([409, 'DUPLICATE_UNIQUE_KEY']);
    expect(second.text).toContain(first.id);
    await settle(await claimOne(world.api.connected), false);
    expect((await world.api.call('POST', '/api/tasks', { task_type: 'noop', unique_key: 'u' })).status).toBe(201);
  });
});

describe('many tasks', () => {
  it('10 000 in one document are stored in order', async () => {
    const { status, body } = await world.api.call('POST', '/api/tasks/bulk', {
      tasks: Array.from({ length: 10_000 }, (_, i) => ({ task_type: 'noop', name: String(i) })),
    });
    expect([status, body.accepted, body.rejected, new Set(body.ids).size]).toEqual([201, 10_000, 0, 10_000]);
    expect((await world.api.call('GET', `/api/tasks/${body.ids[1234]}`)).body.name).toBe('1234');
    const [claimed] = (await workOnce(world.api.connected, { want: 1 })).claimed;
    expect(claimed?.name).toBe('0');
  });

  it('come as lines, and those that are wrong or refused do not hold up the others', async () => {
    const lines = [
      { task_type: 'noop', unique_key: 'u' },
      { task_type: 'noop', unique_key: 'u' },
      { task_type: 'noop', priority: 99 },
      { task_type: 'noop' },
    ];
    const { body } = await world.api.call(
      'POST',
      '/api/tasks/bulk',
      lines.map((line) => JSON.stringify(line)).join('\n'),
      {
        'content-type': 'application/x-ndjson',
      },
    );
    expect(body).toMatchObject({ accepted: 2, rejected: 2 });
    expect(body.ids.map((id: string | null) => id !== null)).toEqual([true, false, false, true]);
  });

  it('are listed by every filter, page by page', async () => {
    const tagged = await submit({ tags: ['vip'], owner: 'ann', queue: 'emails', task_type: 'other', name: 'findme' });
    const plain: string[] = [];
    for (let i = 0; i < 5; i++) plain.unshift((await submit()).id);
    for (const query of [
      'tag=vip',
      'owner=ann',
      'queue=emails',
      'task_type=other',
      'q=findme',
      `q=${tagged.id}`,
      'status=pending&queue=emails',
      'tag=vip&status=pending,failed',
    ]) {
      expect(idsOf((await world.api.call('GET', `/api/tasks?${query}`)).body.tasks), query).toEqual([tagged.id]);
    }
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body } = await world.api.call(
        'GET',
        `/api/tasks?limit=2&queue=default${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      seen.push(...idsOf(body.tasks));
      cursor = body.next_cursor;
    }
    expect(seen).toEqual(plain);
    expect((await world.api.call('GET', '/api/tasks?since=2099-01-01T00:00:00Z')).body.tasks).toEqual([]);
    expect((await world.api.call('GET', '/api/tasks?cursor=rubbish')).status).toBe(422);
    expect((await world.api.call('GET', '/api/tasks/stats/overview')).body).toMatchObject({ total: 6, pending: 6 });
  });
});

it('stores nothing of what it refuses', async () => {
  const bodies = [
    '{"task_type":"noop","priority":0}',
    '{"task_type":"noop","payload":{"__proto__":1}}',
    '{"task_type":"noop","payload":{"n":1e400}}',
    '{"task_type":"no',
    '{"task_type":"noop","x":1}',
    `{"task_type":"noop","payload":{"t":"${'x'.repeat(262_144)}"}}`,
  ];
  const statuses = [];
  for (const body of bodies) statuses.push((await world.api.call('POST', '/api/tasks', body)).status);
  expect(statuses).toEqual([422, 422, 422, 400, 422, 413]);
  expect((await world.api.call('GET', '/api/tasks')).body.total).toBe(0);
  expect(
    (await world.api.call('GET', '/api/queues')).body.queues.reduce(
      (sum: number, queue: { depth: { pending: number } }) => sum + queue.depth.pending,
      0,
    ),
  ).toBe(0);
});

it('answers 503 within 1.5 s while Redis is away, and as before once it is back', async () => {
  const { id } = await submit();
  world.redis.kill9();
  for (const [method, path, body] of [
    ['POST', '/api/tasks', { task_type: 'noop' }],
    ['GET', `/api/tasks/${id}`],
    ['GET', '/api/queues'],
    ['GET', '/health'],
  ] as const) {
    const began = performance.now();
    const answer = await world.api.call(method, path, body);
    expect([path, answer.status]).toEqual([path, 503]);
    expect(performance.now() - began).toBeLessThan(1800);
  }
  expect((await world.api.call('GET', '/healthz')).status).toBe(200);
  await world.redis.restart();
  await expect.poll(async () => (await world.api.call('GET', '/health')).status, { timeout: 10_000 }).toBe(200);
  expect((await world.api.call('GET', `/api/tasks/${id}`)).status).toBe(200);
});
