import { expect, it, vi } from 'vitest';
import type { Queue } from '#queue/contract/queue';
import type { SessionInfo } from '#queue/contract/session';
import { Preferences } from '../../src-renderer/preferences.svelte';
import { Session } from '../../src-renderer/session.svelte';
import { sessionInfoOf, statsOf, taskOf, queueOf as wireQueue } from '../support/wire';
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

function setup(
  answer: (path: string, init: RequestInit) => Answer,
  who: () => SessionInfo = () => sessionInfoOf({ capabilities: ['submitTask', 'pauseQueue'] }),
) {
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

it('knows what may be done here, hears of a lock at once, and asks again what that means', async () => {
  let info = sessionInfoOf({ actor: { name: 'ops', role: 'operator' }, capabilities: ['submitTask', 'pauseQueue'] });
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
  info = sessionInfoOf({ safety: locked, capabilities: [] });
  receive({ type: 'session', safety: locked });
  expect(session.refusal('pauseQueue')).toBe('Read-only: unlock first');
  await settled();
  expect(session.refusal('pauseQueue')).toBe('Read-only: unlock first');
  expect(session.safetyLevel).toBe('read_only');
});

const page = (...tasks: unknown[]) => ({ body: { tasks, next_cursor: null, total: tasks.length, total_exact: true } });
const settled = () => new Promise((resolve) => setTimeout(resolve));

it('fills its stores from the snapshot', () => {
  const { session, receive, hello, sockets } = setup(() => page());
  expect(sockets[0]?.url).toBe('ws://127.0.0.1:8000/ws');
  receive(hello, { type: 'snapshot', seq: 0, ...snapshotOf(), stats: { ...statsOf(), total: 1 }, tasks: [taskOf(0)] });
  expect(session.system.stats?.total).toBe(1);
  expect(session.connection.live).toBe(true);
});

it('shows how things stand with the beat, and all of it before what tells of the connection', () => {
  const { session, time, receive, hello } = setup(() => page());
  receive(hello, { type: 'snapshot', seq: 0, ...snapshotOf() });
  time.advance(1000);
  const stats = (total: number) => ({ type: 'stats', stats: { ...statsOf(), total } });
  receive(stats(2), { type: 'queues', queues: [queueOf()] }, stats(3));
  expect(session.system).toMatchObject({ stats: { total: 0 }, queues: [] });
  time.advance(250);
  expect(session.system).toMatchObject({ stats: { total: 3 }, queues: [{ name: 'emails' }] });
  receive(stats(4), { type: 'connection', redis: 'down' });
  expect(session.system.stats?.total).toBe(4);
  receive({ type: 'connection', redis: 'up' }, stats(5), { type: 'snapshot', seq: 0, ...snapshotOf() });
  time.advance(1000);
  expect(session.system.stats?.total).toBe(0);
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

it('asks for a token on 401, sends it with everything then, and says when it is refused', async () => {
  const { session, preferences, sockets } = setup((_, init) =>
    new Headers(init.headers).get('authorization') === 'Bearer right'
      ? page()
      : { status: 401, body: { title: 'A token is required' } },
  );
  await session.loadTaskTypes().catch(() => undefined);
  expect(session.needsToken).toBe('missing');
  session.useToken('wrong');
  await session.loadTaskTypes().catch(() => undefined);
  expect(session.needsToken).toBe('refused');
  session.useToken('right');
  await session.loadTaskTypes().catch(() => undefined);
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

it('tells screens of every frame, until they listen no more, and reads nothing for them', () => {
  const { session, requests, receive, hello } = setup(() => page());
  const heard: string[] = [];
  const stop = session.onFrame(({ type }) => heard.push(type));
  receive(hello, { type: 'snapshot', seq: 0, ...snapshotOf() }, taskFrame(1));
  stop();
  receive(taskFrame(2));
  expect(heard).toEqual(['hello', 'snapshot', 'task']);
  expect(requests).toEqual([]);
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
