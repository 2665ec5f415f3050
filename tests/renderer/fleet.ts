/** Pools and workers in their smallest valid form, and a console that talks to a server of the test's own. */
import { vi } from 'vitest';
import type { SessionInfo } from '#queue/contract/session';
import type { Pool, Worker } from '#queue/contract/worker';
import { Commands } from '../../src-renderer/commands.svelte';
import { Preferences } from '../../src-renderer/preferences.svelte';
import { Router } from '../../src-renderer/router.svelte';
import { Session } from '../../src-renderer/session.svelte';
import { ToastStore } from '../../src-renderer/stores/toast-store.svelte';
import type { Ui } from '../../src-renderer/ui';
import type { Observed } from '../../src-renderer/views/workers/worker-words';
import { idOf } from '../support/wire';
import { snapshotOf, TestTime } from './support';

export const NOON = Date.parse('2026-11-22T12:00:00.000Z');
/** So many seconds before noon. */
export const ago = (seconds: number): string => new Date(NOON - seconds * 1000).toISOString();

export const runningTask = (n: number, startedSecondsAgo = 5): Worker['running'][number] => ({
  id: idOf(n),
  task_type: 'email',
  queue: 'emails',
  started_at: ago(startedSecondsAgo),
  progress: null,
});

export const workerOf = (id: string, change: Partial<Worker> = {}): Worker => ({
  id,
  host: 'web-1',
  pid: 4711,
  version: '1.0.0',
  state: 'running',
  pool: null,
  queues: [{ name: 'emails', weight: 1 }],
  task_types: ['email'],
  concurrency: 2,
  running: [],
  completed: 0,
  failed: 0,
  memory_bytes: 100 * 1024 * 1024,
  event_loop_lag_ms: 1,
  blocked: false,
  started_at: ago(3600),
  last_heartbeat_at: ago(1),
  last_fetch_at: ago(1),
  fetching: true,
  cpu_percent: 10,
  ...change,
});

export const processOf = (
  workerId: string,
  change: Partial<Pool['members'][number]> = {},
): Pool['members'][number] => ({
  pid: 4711,
  worker_id: workerId,
  state: 'running',
  restarts: 0,
  started_at: ago(3600),
  ...change,
});

export const poolOf = (id: string, members: readonly string[], change: Partial<Pool> = {}): Pool => ({
  id,
  name: id,
  queues: [{ name: 'emails', weight: 1 }],
  concurrency: 2,
  processes: members.length,
  handlers: null,
  autoscale: null,
  members: members.map((workerId) => processOf(workerId)),
  exits: [],
  output: [],
  log: [],
  restarting: null,
  ...change,
});

export const observed = (worker: Worker | null, change: Partial<Observed> = {}): Observed => ({
  worker,
  process: null,
  silentMs: 0,
  ...change,
});

type Request = { method: string; path: string; body: unknown };

/** Everything but `/api/session` is answered by `answer`. */
export async function consoleOf(
  answer: (request: Request) => { status?: number; body?: unknown },
  who: Partial<SessionInfo> = {},
): Promise<{ ui: Ui; requests: Request[]; time: TestTime }> {
  const requests: Request[] = [];
  const sockets: { onmessage?: (event: { data: string }) => void }[] = [];
  const preferences = new Preferences(window.localStorage, window.sessionStorage);
  const time = new TestTime();
  const session = new Session({
    baseUrl: 'http://127.0.0.1:8000/',
    preferences,
    time,
    fetch: async (input, init) => {
      const { pathname: path } = new URL(String(input));
      if (path === '/api/session') return new Response(JSON.stringify({ ...INFO, ...who }));
      const request = { method: init?.method ?? 'GET', path, body: init?.body ? JSON.parse(String(init.body)) : null };
      requests.push(request);
      const { status = 200, body } = answer(request);
      return new Response(status === 204 ? null : JSON.stringify(body), { status });
    },
    openSocket: () => {
      const socket: (typeof sockets)[number] & Record<string, unknown> = { send: vi.fn(), close: vi.fn() };
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
  });
  session.start();
  const frames = [
    { type: 'hello', protocol: 1, seq: 0, heartbeat: 15, version: '0.1.0' },
    { type: 'snapshot', seq: 0, ...snapshotOf() },
  ];
  for (const frame of frames) sockets[0]?.onmessage?.({ data: JSON.stringify(frame) });
  await vi.waitUntil(() => session.identity.info !== null);
  const ui: Ui = {
    session,
    router: new Router(window),
    commands: new Commands(),
    preferences,
    toasts: new ToastStore(time),
    isMac: false,
    openConnections: null,
    profiles: null,
  };
  return { ui, requests, time };
}

const INFO: SessionInfo = {
  profile: {
    name: null,
    environment: 'local',
    topology: 'standalone',
    tls: false,
    redis: '10.0.0.5:6379',
    database: 0,
    owned: false,
    prefix: 'mr',
  },
  actor: { name: 'local', role: 'admin' },
  safety: { level: 'open', unlocked_until: null, unlocked_by: null, locked: false },
  capabilities: [
    'createPool',
    'patchPool',
    'restartPool',
    'deletePool',
    'quietWorker',
    'stopWorker',
    'restartWorker',
    'createKey',
    'deleteKey',
  ],
  version: '0.1.0',
  now: '2026-11-22T12:00:00.000Z',
  redis_time_offset_ms: 0,
  store_refusal: null,
};
