import { describe, expect, it } from 'vitest';
import { createWorld, worker } from '../support/api-world';

const UNKNOWN_ID = '01KA9Z6Q0MB0Q3T5V7X9YABCDE';

describe('submitting', () => {
  it('answers 201 with the whole task and its defaults', async () => {
    const { call, workers } = createWorld();
    workers.push(worker());
    const { status, body } = await call('POST', '/api/tasks', { task_type: 'email', payload: { to: 'a@b.c' } });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      task_type: 'email',
      queue: 'default',
      priority: 5,
      max_retries: 3,
      timeout: 300,
      status: 'pending',
      payload: { to: 'a@b.c' },
    });
    expect(body.warnings).toBeUndefined();
  });

  it('warns where no live worker serves the type, and accepts the task', async () => {
    const { call, workers } = createWorld();
    workers.push(worker({ task_types: ['image'] }));
    const { status, body } = await call('POST', '/api/tasks', { task_type: 'email' });
    expect(status).toBe(201);
    expect(body.warnings).toEqual([expect.stringContaining('"email"')]);
  });

  it('warns where workers of the type serve other queues only', async () => {
    const { call, workers } = createWorld();
    workers.push(worker());
    const { body } = await call('POST', '/api/tasks', { task_type: 'email', queue: 'slow' });
    expect(body.warnings).toEqual([expect.stringContaining('in the queue "slow"')]);
  });

  it('does not warn where a worker of the type serves every queue', async () => {
    const { call, workers } = createWorld();
    workers.push(worker({ queues: [{ name: '*', weight: 1 }] }));
    const { body } = await call('POST', '/api/tasks', { task_type: 'email', queue: 'slow' });
    expect(body.warnings).toBeUndefined();
  });

  it('answers a repeat with 200 and the first task, by field or by header', async () => {
    const { call, queue } = createWorld();
    const first = await call('POST', '/api/tasks', { task_type: 'email', idempotency_key: 'k1' });
    const second = await call('POST', '/api/tasks', { task_type: 'email' }, { 'idempotency-key': 'k1' });
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.body.id).toBe(first.body.id);
    expect(queue.tasks.size).toBe(1);
  });

  it('refuses a repeat with another body, and names the first task', async () => {
    const { call } = createWorld();
    const first = await call('POST', '/api/tasks', { task_type: 'email', idempotency_key: 'k1' });
    const { status, body } = await call('POST', '/api/tasks', { task_type: 'image', idempotency_key: 'k1' });
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', id: first.body.id });
  });

  it('refuses a header that differs from the field', async () => {
    const { call, queue } = createWorld();
    const { status, body } = await call(
      'POST',
      '/api/tasks',
      { task_type: 'email', idempotency_key: 'a' },
      { 'idempotency-key': 'b' },
    );
    expect(status).toBe(422);
    expect(body.errors[0].path).toBe('idempotency_key');
    expect(queue.tasks.size).toBe(0);
  });

  it('refuses a second live task with the same unique key', async () => {
    const { call } = createWorld();
    const first = await call('POST', '/api/tasks', { task_type: 'email', unique_key: 'u' });
    const { status, body } = await call('POST', '/api/tasks', { task_type: 'email', unique_key: 'u' });
    expect(status).toBe(409);
    expect(body.id).toBe(first.body.id);
  });
});

describe('one task', () => {
  it('is found by its id, and by the older address', async () => {
    const { call, queue } = createWorld();
    const { id } = queue.put();
    for (const path of [`/api/tasks/${id}`, `/api/tasks/${id}/`, `/tasks/${id}`, `/tasks/${id}/`]) {
      expect((await call('GET', path)).body.id).toBe(id);
    }
  });

  it.each([UNKNOWN_ID, 'nonsense', UNKNOWN_ID.toLowerCase(), '..%2f..%2fetc'])('is 404 for %s', async (id) => {
    const { status, body } = await createWorld().call('GET', `/api/tasks/${id}`);
    expect(status).toBe(404);
    expect(body.code).toBe('TASK_NOT_FOUND');
  });

  it('is changed while it waits, and not once it runs or has ended', async () => {
    const { call, queue } = createWorld();
    const waiting = queue.put();
    const changed = await call('PATCH', `/api/tasks/${waiting.id}`, {
      priority: 9,
      name: 'n',
      tags: ['x'],
      run_at: '2030-01-01T00:00:00Z',
      payload: { a: 1 },
    });
    expect(changed.body).toMatchObject({
      priority: 9,
      name: 'n',
      tags: ['x'],
      run_at: '2030-01-01T00:00:00.000Z',
      payload: { a: 1 },
    });
    for (const status of ['processing', 'completed', 'failed', 'cancelled'] as const) {
      expect((await call('PATCH', `/api/tasks/${queue.put({ status }).id}`, { priority: 9 })).status).toBe(409);
    }
    expect((await call('PATCH', `/api/tasks/${UNKNOWN_ID}`, { priority: 9 })).status).toBe(404);
  });

  it('has no name where it is given an empty one', async () => {
    const { call } = createWorld();
    const { body } = await call('POST', '/api/tasks', { task_type: 'email', name: '' });
    expect(body.name).toBeNull();
    await call('PATCH', `/api/tasks/${body.id}`, { name: 'n' });
    expect((await call('PATCH', `/api/tasks/${body.id}`, { name: '' })).body.name).toBeNull();
  });

  it('must be changed in something', async () => {
    const { call, queue } = createWorld();
    expect((await call('PATCH', `/api/tasks/${queue.put().id}`, {})).status).toBe(422);
  });

  it('is deleted with 204, but not while it runs', async () => {
    const { call, queue } = createWorld();
    const { id } = queue.put();
    const gone = await call('DELETE', `/api/tasks/${id}`);
    expect([gone.status, gone.text]).toEqual([204, '']);
    expect((await call('DELETE', `/api/tasks/${id}`)).status).toBe(404);
    expect((await call('DELETE', `/api/tasks/${queue.put({ status: 'processing' }).id}`)).status).toBe(409);
  });

  it('is cancelled at once while it waits, asked to stop while it runs, and refused at its end', async () => {
    const { call, queue } = createWorld();
    const waiting = await call('POST', `/api/tasks/${queue.put().id}/cancel`);
    expect([waiting.status, waiting.body.status]).toEqual([200, 'cancelled']);
    const running = await call('POST', `/api/tasks/${queue.put({ status: 'processing' }).id}/cancel`);
    expect([running.status, running.body.cancel_requested]).toEqual([202, true]);
    expect((await call('POST', `/api/tasks/${queue.put({ status: 'completed' }).id}/cancel`)).status).toBe(409);
    expect((await call('POST', `/api/tasks/${UNKNOWN_ID}/cancel`)).status).toBe(404);
  });

  it('is retried from failed and cancelled only, with a new payload and priority where given', async () => {
    const { call, queue } = createWorld();
    const plain = await call('POST', `/api/tasks/${queue.put({ status: 'failed' }).id}/retry`);
    expect([plain.status, plain.body.status]).toEqual([200, 'pending']);
    const changed = await call('POST', `/api/tasks/${queue.put({ status: 'cancelled' }).id}/retry`, {
      payload: { b: 2 },
      priority: 10,
    });
    expect(changed.body).toMatchObject({ status: 'pending', payload: { b: 2 }, priority: 10 });
    expect((await call('POST', `/api/tasks/${queue.put({ status: 'completed' }).id}/retry`)).status).toBe(409);
  });

  it('tells its history, its log lines and why it waits', async () => {
    const { call, queue } = createWorld();
    const { id } = queue.put();
    expect((await call('GET', `/api/tasks/${id}/history`)).body.history).toHaveLength(1);
    expect((await call('GET', `/api/tasks/${id}/logs`)).body.logs[0]).toMatchObject({
      at: '1970-01-01T00:00:01.000Z',
      message: 'hello',
    });
    expect((await call('GET', `/api/tasks/${id}/explain`)).body.reasons[0].code).toBe('no_worker_for_queue');
    for (const part of ['history', 'logs', 'explain'])
      expect((await call('GET', `/api/tasks/${UNKNOWN_ID}/${part}`)).status).toBe(404);
  });

  it('leaves a trace of what people did, and none of submits', async () => {
    const { call, queue, audit } = createWorld();
    await call('POST', '/api/tasks', { task_type: 'email' });
    const { id } = queue.put();
    await call('PATCH', `/api/tasks/${id}`, { priority: 9 });
    await call('POST', `/api/tasks/${id}/cancel`);
    await call('POST', `/api/tasks/${id}/retry`);
    await call('DELETE', `/api/tasks/${id}`);
    expect(audit.map(({ action, target, by }) => [action, target, by])).toEqual(
      ['task.delete', 'task.retry', 'task.cancel', 'task.update'].map((action) => [action, id, 'local']),
    );
    expect((await call('GET', '/api/audit?limit=2')).body.audit).toHaveLength(2);
  });
});

describe('lists', () => {
  it('take several statuses, with commas or by repeating', async () => {
    const { call, queue } = createWorld();
    for (const status of ['failed', 'retrying', 'completed'] as const) queue.put({ status });
    for (const query of ['status=failed,retrying', 'status=failed&status=retrying']) {
      const { body } = await call('GET', `/api/tasks?${query}`);
      expect(body.tasks.map((task: { status: string }) => task.status).sort()).toEqual(['failed', 'retrying']);
    }
  });

  it('go on with the cursor to the end, newest first', async () => {
    const { call, queue } = createWorld();
    const ids = Array.from({ length: 5 }, () => queue.put().id).reverse();
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body } = await call('GET', `/api/tasks?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...body.tasks.map((task: { id: string }) => task.id));
      expect(body.total).toBe(5);
      cursor = body.next_cursor;
    }
    expect(seen).toEqual(ids);
  });

  it('filter by queue, type, tag, owner, text and time', async () => {
    const { call, queue } = createWorld();
    const { id } = queue.put({
      queue: 'emails',
      type: 'image',
      tags: ['t1'],
      owner: 'ann',
      payload: '{"find":"me"}',
      createdAt: Date.parse('2026-03-01T00:00:00Z'),
    });
    queue.put();
    for (const query of [
      'queue=emails',
      'task_type=image',
      'tag=t1',
      'owner=ann',
      'q=find',
      'since=2026-02-28T00:00:00Z&until=2026-03-02T00:00:00Z',
    ]) {
      const { body } = await call('GET', `/api/tasks?${query}`);
      expect(
        body.tasks.map((task: { id: string }) => task.id),
        query,
      ).toEqual([id]);
    }
    expect((await call('GET', '/api/tasks?q=find')).body.scanned).toBe(1);
  });

  it('leave out very long payloads, which the task itself has', async () => {
    const { call, queue } = createWorld();
    const { id } = queue.put({ payload: JSON.stringify({ text: 'x'.repeat(20_000) }) });
    expect((await call('GET', '/tasks')).body.tasks[0]).toMatchObject({ payload: null, omitted: ['payload'] });
    expect((await call('GET', `/tasks/${id}`)).body.payload.text).toHaveLength(20_000);
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['status=sleeping', 'status.0'],
    ['status=', 'status.0'],
    ['queue=a b', 'queue.0'],
    ['queue=emails,a b', 'queue.1'],
    ['task_type=Email', 'task_type.0'],
    ['task_type=a*b', 'task_type.0'],
    ['worker=', 'worker'],
    ['attempts_min=-1', 'attempts_min'],
    ['attempts_min=1.5', 'attempts_min'],
    ['run_min=soon', 'run_min'],
    ['run_min=31536001', 'run_min'],
    ['priority=0', 'priority.0'],
    ['priority=11', 'priority.0'],
    ['payload=novalue', 'payload.0'],
    ['payload=:1', 'payload.0'],
    [Array.from({ length: 6 }, (_, n) => `payload=a${n}:1`).join('&'), 'payload'],
    ['since=yesterday', 'since'],
    ['colour=red', 'colour'],
    ['__proto__=1', '__proto__'],
    ['q=', 'q'],
  ])('refuse ?%s with 422 that names %s', async (query, path) => {
    const { status, body } = await createWorld().call('GET', `/api/tasks?${query}`);
    expect(status).toBe(422);
    expect(body.errors[0].path).toBe(path);
    expect(body.detail).toContain(path);
  });

  it('by what only the tasks themselves tell', async () => {
    const { call, queue } = createWorld();
    const { id } = queue.put({
      type: 'charge.capture',
      queue: 'payments',
      priority: 9,
      workerId: 'web-3/a',
      attempts: 3,
      startedAt: 1_000,
      endedAt: 31_500,
      status: 'retrying',
      error: { name: 'Error', message: 'read ECONNRESET', stack: null, fingerprint: 'abcdef12', at: 1, progress: 0 },
      payload: '{"order":{"id":1234,"ref":"a:b"},"paid":true,"note":null,"list":[5],"text":"7"}',
    });
    queue.put({ startedAt: 1_000, endedAt: 31_000, attempts: 2, workerId: 'web-4/a' });
    for (const query of [
      'task_type=charge.*',
      'task_type=image,charge.capture',
      'queue=other,payments',
      'worker=web-3/*',
      'worker=web-3/a',
      'attempts_min=3',
      'run_min=30.5',
      'priority=8,9',
      'error=ECONN',
      'error=abcdef12',
      'payload=order.id:1234',
      'payload=order.ref:a:b&payload=paid:true',
      'payload=note:null',
      'payload=list.0:5',
      'payload=text:7',
      'payload=text:%227%22',
      'payload=order.id:1234.0',
    ]) {
      const { body } = await call('GET', `/api/tasks?${query}`);
      expect(
        body.tasks.map((task: { id: string }) => task.id),
        query,
      ).toEqual([id]);
    }
    for (const query of [
      'worker=web-3',
      'run_min=30.51',
      'payload=order:1',
      'payload=order.id:%221234%22',
      'payload=list:5',
      'payload=toString:1',
      'payload=order.id:',
    ])
      expect((await call('GET', `/api/tasks?${query}`)).body.tasks, query).toEqual([]);
    const { body } = await call('POST', '/api/operations', {
      action: 'cancel',
      dry_run: true,
      filter: { task_type: 'charge.*', queue: ['payments'], priority: [9], payload: ['order.id:1234'], run_min: 1 },
    });
    expect(body.matched).toBe(1);
  });

  it('suggest workers that live, and what the queue knows', async () => {
    const { call, workers } = createWorld();
    workers.push(worker({ id: 'web-2' }), worker({ id: 'web-1' }), worker({ id: 'mail-1' }));
    expect((await call('GET', '/api/tasks/suggest?field=worker&prefix=WEB')).body.values).toEqual([
      { value: 'web-1', label: null, count: null },
      { value: 'web-2', label: null, count: null },
    ]);
    expect((await call('GET', '/api/tasks/suggest?field=type')).status).toBe(200);
    for (const query of ['', '?field=colour', `?field=tag&prefix=${'x'.repeat(201)}`])
      expect((await call('GET', `/api/tasks/suggest${query}`)).status).toBe(422);
  });

  it.each(['limit=1', 'limit=1000'])('take ?%s', async (query) => {
    expect((await createWorld().call('GET', `/api/tasks?${query}`)).status).toBe(200);
  });

  it('refuse any parameter where none is known', async () => {
    expect((await createWorld().call('GET', '/api/queues?x=1')).status).toBe(422);
  });
});

it('sums the overview over all queues', async () => {
  const { call, queue, workers } = createWorld();
  workers.push(worker());
  queue.put({ queue: 'a' });
  queue.put({ queue: 'b', status: 'failed' });
  expect((await call('GET', '/api/tasks/stats/overview/')).body).toMatchObject({
    total: 2,
    pending: 1,
    failed: 1,
    completed: 0,
    workers: 1,
    throughput_per_second: 2,
    latency_ms: { p50: 1, p95: 2, p99: null },
  });
});
