import { expect, it, vi } from 'vitest';
import type { Operation } from '#queue/contract/operation';
import type { Queue } from '#queue/contract/queue';
import type { SessionInfo } from '#queue/contract/session';
import { Preferences } from '../../src-renderer/preferences.svelte';
import { Session } from '../../src-renderer/session.svelte';
import { NO_FILTER } from '../../src-renderer/stores/task-row';
import { idOf, statsOf, taskOf, queueOf as wireQueue } from '../support/wire';
import { snapshotOf, TestTime, taskFrame } from './support';

function storage(): Storage {
  const values = new Map<string, string>();
  return {
    get length() {
      return values.size;
    },
    clear: () => values.clear(),
    key: (n) => [...values.keys()][n] ?? null,
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  };
}

type Answer = { status?: number; body: unknown };

function setup(answer: (path: string, init: RequestInit) => Answer, who: () => SessionInfo = () => sessionInfo()) {
  const time = new TestTime();
  const preferences = new Preferences(storage(), storage());
  const requests: string[] = [];
  const sockets: { url: string; protocols: string[]; socket: Record<string, unknown> }[] = [];
  const session = new Session({
    baseUrl: 'http://127.0.0.1:8000/',
    preferences,
    time,
    fetch: async (input, init) => {
      const url = new URL(String(input));
      if (url.pathname === '/api/session') return new Response(JSON.stringify(who()), { status: 200 });
      requests.push(`${init?.method ?? 'GET'} ${url.pathname}${url.search}`);
      const { status = 200, body } = answer(url.pathname, init ?? {});
      return new Response(JSON.stringify(body), { status });
    },
    openSocket: (url, protocols) => {
      const socket = { send: vi.fn(), close: vi.fn() };
      sockets.push({ url, protocols, socket });
      return socket as unknown as WebSocket;
    },
  });
  session.start();
  const receive = (...frames: unknown[]) => {
    const handle = sockets[sockets.length - 1]?.socket.onmessage as (event: { data: string }) => void;
    for (const frame of frames) handle({ data: JSON.stringify(frame) });
  };
  const hello = { type: 'hello', protocol: 1, seq: 0, heartbeat: 15, version: '0.1.0' };
  return { session, time, preferences, requests, sockets, receive, hello };
}

const sessionInfo = (more: Partial<SessionInfo> = {}): SessionInfo => ({
  profile: {
    name: null,
    environment: 'local',
    topology: 'standalone',
    tls: false,
    redis: '127.0.0.1:6379',
    database: 0,
    owned: true,
    prefix: 'mr',
  },
  actor: { name: 'local', role: 'admin' },
  safety: { level: 'open', unlocked_until: null, unlocked_by: null, locked: false },
  capabilities: ['submitTask', 'pauseQueue'],
  version: '0.1.0',
  now: '2026-11-22T12:00:00.000Z',
  redis_time_offset_ms: 0,
  ...more,
});

it('knows what may be done here, hears of a lock at once, and asks again what that means', async () => {
  let info = sessionInfo({ actor: { name: 'ops', role: 'operator' } });
  const { session, receive, hello } = setup(
    () => page(),
    () => info,
  );
  expect(session.refusal('pauseQueue')).toBe('Not connected');
  receive(hello, { type: 'snapshot', seq: 0, ...snapshotOf() });
  await settled();
  expect(session.refusal('pauseQueue')).toBeNull();
  expect(session.refusal('purgeQueue')).toBe('Needs the role admin');
  const locked = { level: 'read_only', unlocked_until: null, unlocked_by: null, locked: true } as const;
  info = sessionInfo({ safety: locked, capabilities: [] });
  receive({ type: 'session', safety: locked });
  expect(session.refusal('pauseQueue')).toBe('Read-only: unlock first');
  await settled();
  expect(session.refusal('pauseQueue')).toBe('Read-only: unlock first');
  expect(session.safetyLevel).toBe('read_only');
});

const page = (...tasks: unknown[]) => ({ body: { tasks, next_cursor: null, total: tasks.length, total_exact: true } });
const settled = () => new Promise((resolve) => setTimeout(resolve));

it('fills its stores from the snapshot and follows the frames, painting them in batches', () => {
  const { session, time, receive, hello, sockets } = setup(() => page());
  expect(sockets[0]?.url).toBe('ws://127.0.0.1:8000/ws');
  receive(hello, { type: 'snapshot', seq: 0, ...snapshotOf(), stats: { ...statsOf(), total: 1 }, tasks: [taskOf(0)] });
  expect(session.system.stats?.total).toBe(1);
  expect(session.connection.live).toBe(true);
  receive(taskFrame(1), taskFrame(2), taskFrame(3));
  expect(session.latest.rows).toHaveLength(1);
  time.advance(120);
  expect(session.latest.rows.map((row) => row.id)).toEqual([idOf(3), idOf(2), idOf(1), idOf(0)]);
});

it('is stale while Redis is down, and says since when', () => {
  const { session, time, receive, hello } = setup(() => page());
  receive(hello, { type: 'snapshot', seq: 0, ...snapshotOf() });
  time.advance(5000);
  receive({ type: 'connection', redis: 'down' });
  expect(session.connection).toMatchObject({ live: false, staleSince: time.now() });
  receive({ type: 'connection', redis: 'up' });
  expect(session.connection).toMatchObject({ live: true, staleSince: null });
});

it('reads the list again after a resync', async () => {
  const { session, requests, receive, hello } = setup(() => page(taskOf(1)));
  receive(hello, { type: 'snapshot', seq: 0, ...snapshotOf() });
  session.loadTasks({ ...NO_FILTER, status: 'failed' });
  await settled();
  expect(requests).toEqual(['GET /api/tasks?status=failed&limit=100']);
  receive({ type: 'resync', reason: 'lost' }, { type: 'snapshot', seq: 9, ...snapshotOf() });
  expect(requests).toHaveLength(2);
});

it('asks for a token on 401, sends it with everything then, and says when it is refused', async () => {
  const { session, preferences, sockets } = setup((_, init) =>
    new Headers(init.headers).get('authorization') === 'Bearer right'
      ? page()
      : { status: 401, body: { title: 'A token is required' } },
  );
  session.loadTasks(NO_FILTER);
  await settled();
  expect(session.needsToken).toBe('missing');
  session.useToken('wrong');
  await settled();
  expect(session.needsToken).toBe('refused');
  session.useToken('right');
  await settled();
  expect(session.needsToken).toBeNull();
  expect(preferences.token).toBe('right');
  expect(sockets[sockets.length - 1]?.protocols).toEqual(['millrace', 'bearer.right']);
});

it('hands a refused submit on with its fields', async () => {
  const { session } = setup(() => ({
    status: 422,
    body: {
      type: 'about:blank',
      title: 'The request is not valid',
      status: 422,
      detail: 'x',
      errors: [{ path: 'payload.to', message: 'is required' }],
    },
  }));
  await expect(session.submit({ task_type: 'email' })).rejects.toMatchObject({
    status: 422,
    title: 'The request is not valid',
    fields: [{ path: 'payload.to', message: 'is required' }],
  });
});

it('reads a task with its parts, and again soon after it changed', async () => {
  const answers: Record<string, unknown> = {
    history: { history: [] },
    logs: { logs: [] },
    explain: { status: 'pending', reasons: [], position: 0, eta_seconds: null },
  };
  let status: 'pending' | 'completed' = 'pending';
  const { session, time, requests, receive, hello } = setup((path) => ({
    body: answers[path.split('/')[4] ?? ''] ?? taskOf(1, { status }),
  }));
  receive(hello, { type: 'snapshot', seq: 0, ...snapshotOf() });
  session.openTask(idOf(1));
  await settled();
  await settled();
  expect(session.detail.detail?.task.id).toBe(idOf(1));
  status = 'completed';
  receive(taskFrame(1, 'completed', { status: 'completed' }), taskFrame(2));
  time.advance(120);
  expect(session.detail.detail?.task.status).toBe('completed');
  time.advance(400);
  await settled();
  await settled();
  expect(session.detail.detail?.explanation).toBeNull();
  expect(requests.filter((request) => request === `GET /api/tasks/${idOf(1)}`)).toHaveLength(2);
});

it('tells a server that is away from one that answers nonsense', async () => {
  const { session } = setup(() => ({ body: { surprise: true } }));
  session.loadTasks(NO_FILTER);
  await settled();
  expect(session.list.error).toMatchObject({ title: 'The answer is not understood' });
});

it('reads the names of rows that came as frames, at most once a second', async () => {
  const { session, time, requests, receive, hello } = setup(() => page(taskOf(2, { name: 'Order 2' })));
  receive(hello, { type: 'snapshot', seq: 0, ...snapshotOf() });
  receive(taskFrame(1));
  time.advance(120);
  receive(taskFrame(2));
  time.advance(999);
  expect(requests).toEqual([]);
  time.advance(1);
  await settled();
  expect(requests).toEqual(['GET /api/tasks?limit=50']);
  expect(session.latest.rows.map((row) => row.name)).toEqual(['Order 2', null]);
});

const queueOf = (change: Partial<Queue> = {}): Queue =>
  wireQueue('emails', { eta_seconds: null, workers: 1, ...change });

it('pauses and resumes a queue, and shows what the server answers', async () => {
  const { session, requests, receive, hello } = setup((path) => ({
    body: queueOf({ paused: path.endsWith('/pause') }),
  }));
  receive(hello, { type: 'snapshot', seq: 0, ...snapshotOf(), queues: [queueOf(), queueOf({ name: 'images' })] });
  await session.setPaused('emails', true);
  expect(session.system.queues.map((queue) => queue.paused)).toEqual([true, false]);
  await session.setPaused('emails', false);
  expect(session.system.queues.map((queue) => queue.paused)).toEqual([false, false]);
  expect(requests).toEqual(['POST /api/queues/emails/pause', 'POST /api/queues/emails/resume']);
});

const operationOf = (change: Partial<Operation> = {}): Operation => ({
  id: 'op-1',
  action: 'requeue',
  filter: { status: 'failed' },
  state: 'running',
  matched: 8,
  done: 0,
  skipped: 0,
  failed: 0,
  rate: null,
  priority: null,
  started_at: '2026-11-22T12:00:00.000Z',
  finished_at: null,
  by: 'local',
  message: null,
  ...change,
});

it('requeues the failed tasks of a filter only as planned, and follows the operation to its end', async () => {
  const bodies: unknown[] = [];
  let operation = operationOf();
  const { session, time, requests } = setup((path, init) => {
    if (path !== '/api/dlq/requeue') return { body: operation };
    const body: { dry_run?: boolean } = JSON.parse(String(init.body));
    bodies.push(body);
    const plan = { matched: 8, by_queue: { emails: 8 }, by_task_type: { email: 8 }, by_error: {}, samples: [] };
    return body.dry_run ? { body: plan } : { status: 202, body: operation };
  });
  const filter = { ...NO_FILTER, status: 'failed', queue: 'emails' } as const;
  session.startRequeue(); // nothing is planned: nothing happens
  session.planRequeue(filter);
  await settled();
  expect(session.requeue.plan?.matched).toBe(8);
  session.startRequeue();
  session.startRequeue(); // a double click
  await settled();
  const selection = { filter: { status: 'failed', queue: 'emails' } };
  expect(bodies).toEqual([
    { ...selection, dry_run: true },
    { ...selection, expected_count: 8 },
  ]);
  operation = operationOf({ done: 3, skipped: 1 });
  time.advance(500);
  await settled();
  expect(session.requeue).toMatchObject({ percent: 50, over: false });
  operation = operationOf({ done: 7, skipped: 1, state: 'done' });
  time.advance(500);
  await settled();
  expect(session.requeue).toMatchObject({ percent: 100, over: true });
  time.advance(5000);
  await settled();
  expect(requests.filter((request) => request === 'GET /api/operations/op-1')).toHaveLength(2);
});

it('looks no more at an operation whose dialog is closed, and tells what a refused requeue says', async () => {
  let refused = true;
  const { session, time, requests } = setup((path, init) => {
    if (path !== '/api/dlq/requeue') return { body: operationOf() };
    if (String(init.body).includes('dry_run'))
      return { body: { matched: 1, by_queue: {}, by_task_type: {}, by_error: {}, samples: [] } };
    return refused
      ? { status: 409, body: { title: 'The number of tasks has changed' } }
      : { status: 202, body: operationOf() };
  });
  session.planRequeue({ ...NO_FILTER, status: 'failed' });
  await settled();
  session.startRequeue();
  await settled();
  expect(session.requeue.error).toMatchObject({ status: 409, title: 'The number of tasks has changed' });
  refused = false;
  session.startRequeue();
  await settled();
  expect(session.requeue.operation?.id).toBe('op-1');
  session.closeRequeue();
  expect(session.requeue).toMatchObject({ filter: null, operation: null });
  const before = requests.length;
  time.advance(5000);
  await settled();
  expect(requests).toHaveLength(before);
});
