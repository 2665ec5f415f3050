/** A real engine over a real Redis for one test, with short ways to make and run tasks. */
import { type ConnectDeps, type ConnectedEngine, connectEngine } from '#queue/engine/connect';
import type { ClaimedTask, Settle, TaskSpec, WorkReply } from '#queue/engine/ports';
import { systemClock } from '#queue/kernel/clock';
import { silentLog } from '#queue/kernel/log';
import type { RedisOptions } from '#queue/redis/options';
import { parseRedisUrl } from '#queue/redis/url';
import type { RedisServer } from './redis-server';

export const redisAt = ({ host, port }: Pick<RedisServer, 'host' | 'port'>): RedisOptions => ({
  kind: 'single',
  nodes: [{ host, port }],
  db: 0,
  username: null,
  password: null,
  tls: null,
  prefix: 'mr',
});

export function connectTo(
  server: Pick<RedisServer, 'host' | 'port'>,
  deps: Partial<ConnectDeps> = {},
): ConnectedEngine {
  return connectEngine(redisAt(server), { clock: systemClock, log: silentLog, name: 'test', ...deps });
}

/** As `connectTo`, by the address that a program is given: also of a Sentinel set or a Cluster without passwords. */
export function connectToUrl(url: string, deps: Partial<ConnectDeps> = {}): ConnectedEngine {
  const { kind, nodes, master } = parseRedisUrl(url);
  const [first] = nodes;
  if (first === undefined) throw new Error(`no node in ${url}`);
  const options = { ...redisAt(first), kind, nodes, ...(master === null ? {} : { master }) };
  return connectEngine(options, { clock: systemClock, log: silentLog, name: 'test', ...deps });
}

export const taskSpec = (spec: Partial<TaskSpec> = {}): TaskSpec => ({
  type: 'noop',
  queue: 'default',
  priority: 5,
  payload: '{}',
  name: null,
  maxRetries: 3,
  timeoutMs: 300_000,
  backoff: { type: 'exponential', baseMs: 1000, maxMs: 300_000, jitter: 0.2 },
  runAt: null,
  expiresAt: null,
  dependsOn: [],
  tags: [],
  owner: null,
  idempotencyKey: null,
  bodyHash: null,
  uniqueKey: null,
  durability: null,
  ...spec,
});

/** Submits and answers the ids; a refused task is an error. */
export async function submitAll({ engine }: ConnectedEngine, specs: readonly Partial<TaskSpec>[]): Promise<string[]> {
  const outcomes = await engine.submitMany(specs.map(taskSpec));
  return outcomes.map((outcome) => {
    if (!outcome.ok) throw outcome.error;
    return outcome.id;
  });
}

export const submitOne = async (connected: ConnectedEngine, spec: Partial<TaskSpec> = {}): Promise<string> => {
  const [id] = await submitAll(connected, [spec]);
  if (id === undefined) throw new Error('no id');
  return id;
};

let nonces = 0;

/** One work call of a worker `w1` that runs the types `noop` and `other`, with a fresh nonce. */
export function workOnce(
  { engine }: ConnectedEngine,
  call: Partial<Parameters<ConnectedEngine['engine']['work']>[0]> & { settles?: readonly Settle[] } = {},
): Promise<WorkReply> {
  return engine.work({
    queue: 'default',
    workerId: 'w1',
    lane: '0',
    nonce: `n${++nonces}`,
    settles: [],
    want: 1,
    leaseMs: 10_000,
    types: ['noop', 'other'],
    ...call,
  });
}

export async function claimOne(
  connected: ConnectedEngine,
  call: Parameters<typeof workOnce>[1] = {},
): Promise<ClaimedTask> {
  const { claimed } = await workOnce(connected, call);
  const [task] = claimed;
  if (!task) throw new Error('nothing to claim');
  return task;
}

export const failure = (message = 'boom', name = 'Error', fingerprint = 'abcdef12') => ({
  name,
  message,
  stack: null,
  fingerprint,
  progress: 0,
});

/** The heartbeat of a worker of `default` that runs nothing. */
export const workerBeat = (id: string, types: string[]) => ({
  id,
  host: 'h',
  pid: 1,
  version: '0',
  state: 'running' as const,
  pool: null,
  queues: [{ name: 'default', weight: 1 }],
  task_types: types,
  concurrency: 1,
  running: [],
  completed: 0,
  failed: 0,
  memory_bytes: 0,
  event_loop_lag_ms: 0,
  blocked: false,
  started_at: '2026-01-01T00:00:00.000Z',
});
