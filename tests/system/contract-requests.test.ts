/** Requests to the built program, as somebody writes them who has only read its documentation. One server for all. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { MillraceProcess, TestApi, waitFor } from '../support/millrace-process';

const HANDLER = `
import { defineHandler } from 'millrace';
export default defineHandler({ type: 'count', async run({ payload }) { return payload; } });
`;

let dir: string;
let server: MillraceProcess;
let base: string;
let api: TestApi;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-contract-'));
  mkdirSync(join(dir, 'handlers'));
  writeFileSync(join(dir, 'handlers/count.ts'), HANDLER);
  writeFileSync(
    join(dir, '.env'),
    'APP_PORT=0\nMAX_RETRIES=7\nTASK_TIMEOUT=12.5\nCONCURRENCY=1\nQUEUES="default,emails=2"\n',
  );
  server = new MillraceProcess({
    args: ['--headless', '--handlers', './handlers'],
    env: { MILLRACE_DATA_DIR: join(dir, 'data') },
    cwd: dir,
  });
  base = await server.address();
  api = new TestApi(base);
  await api.workers(1);
});
afterAll(async () => {
  server?.signal('SIGTERM');
  await server?.ended;
  rmSync(dir, { recursive: true, force: true });
});

/** What these tests look at, of whatever is answered. */
const Answer = z.looseObject({
  id: z.string().default(''),
  total: z.number().optional(),
  task_id: z.string().optional(),
  errors: z.unknown().optional(),
  queues: z.unknown().optional(),
  tasks: z.array(z.looseObject({ id: z.string() })).default([]),
  workers: z.array(z.looseObject({ pool: z.string().nullable() })).default([]),
});

async function send(method: string, path: string, body?: unknown) {
  const response = await api.call(method, path, body);
  return { status: response.status, body: Answer.parse(await response.json()) };
}

describe('the built program', () => {
  it('takes its defaults from .env', async () => {
    const task = await api.submit({ task_type: 'count', run_at: '2099-01-01T00:00:00Z' });
    expect(task).toMatchObject({ max_retries: 7, timeout: 12.5, status: 'scheduled' });
    const { body } = await send('GET', '/api/workers');
    expect(body.workers[0]).toMatchObject({
      concurrency: 1,
      queues: [
        { name: 'default', weight: 1 },
        { name: 'emails', weight: 2 },
      ],
    });
  });

  it.each(['/api/tasks', '/api/tasks/', '/tasks', '/tasks/'])('takes and lists tasks at %s', async (path) => {
    const { status, body } = await send('POST', path, { task_type: 'count', payload: { path } });
    expect(status).toBe(201);
    expect(await api.until(body.id, 'completed')).toMatchObject({ result: { path }, attempts: 1, progress: 100 });
    const list = await send('GET', path);
    expect(list.body.tasks.map(({ id }) => id)).toContain(body.id);
    expect(list.body).toHaveProperty('next_cursor');
  });

  it('names the field that is wrong in plain words, and stores nothing', async () => {
    const before = (await send('GET', '/api/tasks?limit=1')).body.total;
    const { status, body } = await send('POST', '/api/tasks', { task_type: 'count', priority: 11 });
    expect([status, body.errors]).toEqual([422, [{ path: 'priority', message: 'must be 1 to 10' }]]);
    expect((await send('GET', '/api/tasks?limit=1')).body.total).toBe(before);
  });

  it('knows an idempotency key in every queue', async () => {
    const body = { task_type: 'count', idempotency_key: 'k' };
    const first = await send('POST', '/api/tasks', body);
    const again = await send('POST', '/api/tasks', body);
    expect([again.status, again.body.id]).toEqual([200, first.body.id]);
    expect((await send('POST', '/api/tasks', { ...body, queue: 'emails' })).status).toBe(409);
  });

  it('knows a unique key in every queue, and names the task that holds it', async () => {
    const body = { task_type: 'count', unique_key: 'u', run_at: '2099-01-01T00:00:00Z' };
    const first = await send('POST', '/api/tasks', body);
    const second = await send('POST', '/api/tasks', { ...body, queue: 'emails' });
    expect([second.status, second.body.task_id]).toEqual([409, first.body.id]);
  });

  it('answers a time series with the queue left empty', async () => {
    expect((await send('GET', '/api/metrics/timeseries?range=1h&step=10s&queue=')).status).toBe(200);
  });

  it('runs a batch on one slot: its children do not wait for it', async () => {
    const payload = { task_type: 'count', items: [{ n: 1 }, { n: 2 }] };
    const { id } = await api.submit({ task_type: 'batch_processing', payload });
    expect((await api.until(id, 'completed')).result).toMatchObject({ total: 2, completed: 2 });
  });

  it('starts a pool whose queues are named as on the command line', async () => {
    const { status, body } = await send('POST', '/api/pools', { name: 'more', queues: ['reports=3'], concurrency: 2 });
    expect([status, body.queues]).toEqual([201, [{ name: 'reports', weight: 3 }]]);
    await waitFor('its worker', async () => {
      const { workers } = (await send('GET', '/api/workers')).body;
      return workers.some(({ pool }) => pool === body.id) ? true : null;
    });
    expect((await api.call('DELETE', `/api/pools/${body.id}`)).status).toBe(204);
  });
});
