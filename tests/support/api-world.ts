/**
 * The server with everything around it in memory. Every JSON answer is checked against the route table, so a test of
 * one thing notices where another part of the answer breaks the contract.
 */
import { expect } from 'vitest';
import { type Access, type App, createApp } from '#main/server/app';
import { NO_TRAFFIC } from '#main/server/fleet-view';
import { OperationWatch } from '#main/server/operation-watch';
import type {
  AuditLog,
  KeyStore,
  MetricsSource,
  OperationRunner,
  PoolManager,
  RedisProbe,
  StoredKey,
} from '#main/server/ports';
import { RedisGauge } from '#main/server/redis-gauge';
import { Safety } from '#main/server/safety';
import { DEFAULT_RATE_LIMIT, type ServerDeps, type ServerSettings } from '#main/server/settings';
import { Problem, type Route } from '#queue/contract/http';
import { routes } from '#queue/contract/http-routes';
import type { AuditEntry, Operation } from '#queue/contract/operation';
import type { SafetyLevel } from '#queue/contract/session';
import type { Worker } from '#queue/contract/worker';
import type { OperationRequest } from '#queue/engine/operations';
import type { AnnouncedType, TaskEngine, WorkerCommand, WorkerDirectory } from '#queue/engine/ports';
import { type Clock, systemClock } from '#queue/kernel/clock';
import { silentLog } from '#queue/kernel/log';
import { MemoryQueue } from './api-memory-queue';

export const TIME = '2026-01-31T12:00:00.000Z';

/** A Redis that tests take away, and how often it was measured. */
export interface RedisSwitch {
  up: boolean;
  measured: number;
}

export interface World {
  app: App;
  deps: ServerDeps;
  queue: MemoryQueue;
  workers: Worker[];
  announced: AnnouncedType[];
  commands: { id: string; command: WorkerCommand }[];
  audit: AuditEntry[];
  keys: StoredKey[];
  operations: OperationRequest[];
  redis: RedisSwitch;
  /** Calls, and checks the answer against the route table. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read single fields of answers that the route table has checked
  body: any;
  text: string;
}

export interface WorldOptions {
  settings?: Partial<ServerSettings>;
  access?: Access;
  engine?: Partial<TaskEngine>;
  clock?: Clock;
  pools?: PoolManager | null;
  safety?: SafetyLevel;
  audit?: Partial<AuditLog>;
  /** Measures in place of the world's own. */
  vitals?: RedisProbe['vitals'];
}

export function createWorld(options: WorldOptions = {}): World {
  const queue = new MemoryQueue();
  const state = {
    workers: [] as Worker[],
    announced: [] as AnnouncedType[],
    commands: [] as World['commands'],
    audit: [] as AuditEntry[],
    keys: [] as StoredKey[],
    operations: [] as OperationRequest[],
    redis: { up: true, measured: 0 },
  };
  const clock = options.clock ?? systemClock;
  const redis: RedisProbe = { ...probeOf(state.redis), ...(options.vitals && { vitals: options.vitals }) };
  const deps: ServerDeps = {
    engine: engineOf(queue, options.engine),
    reader: queue,
    directory: directoryOf(state),
    operations: new OperationWatch(runnerOf(state.operations)),
    pools: options.pools === undefined ? null : options.pools,
    metrics: quietMetrics,
    audit: { ...auditOf(state.audit), ...options.audit },
    keys: keyStoreOf(state.keys),
    redis,
    redisGauge: new RedisGauge(redis, clock),
    safety: new Safety(options.safety ?? 'open', clock),
    clock,
    log: silentLog,
    settings: { ...SETTINGS, ...options.settings },
  };
  const app = createApp(deps, options.access);
  return { app, deps, queue, ...state, call: (...args) => call((path, init) => app.request(path, init), ...args) };
}

export const SETTINGS: ServerSettings = {
  host: '127.0.0.1',
  port: 0,
  version: '1.2.3',
  redisIsLoopback: true,
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
  tokens: [],
  allowedHosts: [],
  allowedOrigins: [],
  rateLimit: DEFAULT_RATE_LIMIT,
  defaults: { maxRetries: 3, timeoutMs: 300_000 },
  dashboardDir: null,
  docsAssetsDir: null,
  artifactsDir: null,
};

export function worker(change: Partial<Worker> = {}): Worker {
  return {
    id: 'w-1',
    host: 'box',
    pid: 7,
    version: '1.2.3',
    state: 'running',
    pool: null,
    queues: [{ name: 'default', weight: 1 }],
    task_types: ['email'],
    concurrency: 10,
    running: [],
    completed: 0,
    failed: 0,
    memory_bytes: 1,
    event_loop_lag_ms: 1,
    blocked: false,
    started_at: TIME,
    last_heartbeat_at: TIME,
    ...change,
  };
}

/** A call, made with `send` (`fetch`, or the app without a socket), whose answer is checked. */
export async function call(
  send: (path: string, init: RequestInit) => Response | Promise<Response>,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const given = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await send(path, { method, headers: { ...type, ...headers }, ...given });
  const text = await response.text();
  const media = response.headers.get('content-type') ?? '';
  const answer = {
    status: response.status,
    headers: response.headers,
    text,
    body: media.includes('json') && text !== '' ? JSON.parse(text) : undefined,
  };
  checkAnswer(method, path.split('?')[0] ?? '', answer);
  return answer;
}

/** The answer is one that the route table names for this status, or a problem document. */
export function checkAnswer(
  method: string,
  path: string,
  { status, headers, body }: Pick<Answer, 'status' | 'headers' | 'body'>,
): void {
  if (status >= 400 && headers.get('content-type') === 'application/problem+json') {
    expect(Problem.parse(body).status).toBe(status);
    return;
  }
  const route = routeOf(method, path);
  if (route === undefined) return;
  const spec = route.replies[status];
  expect(spec, `${method} ${path} answered ${status}, which the route table does not name`).toBeDefined();
  if (spec?.body !== undefined) expect(spec.body.safeParse(body).error?.issues ?? []).toEqual([]);
}

function routeOf(method: string, path: string): Route | undefined {
  const table: Record<string, Route> = routes;
  const all = Object.values(table).filter((route) => route.method === method);
  const matches = (pattern: string) => new RegExp(`^${pattern.replace(/\{\w+\}/g, '[^/]+')}/?$`).test(path);
  const found = all.filter((route) => [route.path, ...(route.aliases ?? [])].some(matches));
  return found.find((route) => !route.path.includes('{')) ?? found[0];
}

function engineOf(queue: MemoryQueue, overrides: Partial<TaskEngine> = {}): TaskEngine {
  const absent = () => Promise.reject(new Error('the server has no business with this'));
  const verbs = [
    'submit',
    'submitMany',
    'cancel',
    'requeue',
    'remove',
    'patch',
    'pause',
    'resume',
    'purge',
    'setLimits',
  ] as const;
  const served = Object.fromEntries(verbs.map((verb) => [verb, queue[verb].bind(queue)])) as Pick<
    TaskEngine,
    (typeof verbs)[number]
  >;
  return {
    work: absent,
    extend: absent,
    report: absent,
    waitForWork: absent,
    followWork: absent,
    followShards: absent,
    tick: absent,
    ...served,
    ...overrides,
  };
}

function directoryOf(state: Pick<World, 'workers' | 'announced' | 'commands'>): WorkerDirectory {
  return {
    beat: async () => [],
    announceTypes: async () => undefined,
    goodbye: async () => undefined,
    list: async () => state.workers,
    command: async (id, command) => {
      state.commands.push({ id, command });
      return state.workers.some((candidate) => candidate.id === id);
    },
    announcedTypes: async () => state.announced,
  };
}

export const operation = (change: Partial<Operation> = {}): Operation => ({
  id: 'op-1',
  action: 'requeue',
  filter: null,
  state: 'running',
  matched: 1,
  done: 0,
  skipped: 0,
  failed: 0,
  rate: null,
  priority: null,
  started_at: TIME,
  finished_at: null,
  by: 'local',
  message: null,
  eta_seconds: null,
  ...change,
});

function runnerOf(asked: OperationRequest[]): OperationRunner {
  const one = async (id: string) => (id === 'op-1' ? operation() : null);
  return {
    plan: async (request) => {
      asked.push(request);
      return { matched: 1, by_queue: { default: 1 }, by_task_type: { email: 1 }, by_error: {}, samples: [] };
    },
    start: async (request) => {
      asked.push(request);
      return operation({ action: request.action, by: request.by });
    },
    list: async () => [operation()],
    active: async () => [operation()],
    get: one,
    pause: one,
    resume: one,
    abort: one,
  };
}

const quietMetrics: MetricsSource = {
  overview: async () => ({
    throughput_per_second: 2,
    latency_ms: { p50: 1, p95: 2, p99: null },
    failing_share: 0.25,
    dead_per_hour: 4,
  }),
  timeseries: async ({ rangeSeconds, stepSeconds, queue, depthsOf }) => ({
    range: rangeSeconds,
    step: stepSeconds,
    queue,
    points: [],
    ...(depthsOf && { queue_depths: depthsOf.map((name) => ({ queue: name, depth: [] })) }),
  }),
  queueFigures: async () => new Map([['default', { ...NO_TRAFFIC, in: 1, out: 3, failingShare: 0.5, deadPerHour: 2 }]]),
  typeFigures: async () => ({ since: TIME, types: new Map([['email', { ...NO_TRAFFIC, in: 1 }]]) }),
  eventTotals: () => new Map([['completed', 5]]),
};

function auditOf(entries: AuditEntry[]): AuditLog {
  return {
    append: async (entry) => void entries.unshift({ id: String(entries.length), at: TIME, ...entry }),
    list: async ({ limit }) => ({ entries: entries.slice(0, limit), nextCursor: null }),
  };
}

function keyStoreOf(stored: StoredKey[]): KeyStore {
  return {
    list: async () => [...stored],
    add: async (key) => void stored.push(key),
    remove: async (id) => {
      const at = stored.findIndex((key) => key.id === id);
      if (at !== -1) stored.splice(at, 1);
      return at !== -1;
    },
  };
}

function probeOf(state: RedisSwitch): RedisProbe {
  const ping = () => (state.up ? Promise.resolve() : Promise.reject(new Error('redis is down')));
  return {
    ping,
    refusal: async () => null,
    vitals: async () => {
      state.measured++;
      await ping();
      return {
        latencyMs: 0.4321,
        memoryBytes: 1_000_000,
        maxMemoryBytes: null,
        clients: 3,
        evictionPolicy: 'noeviction',
        clockOffsetMs: -12.4,
      };
    },
  };
}
