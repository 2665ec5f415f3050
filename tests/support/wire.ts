/** What goes over the wire, in its smallest valid form. Runs in a browser too. */
import { type Queue, type StatsOverview, sumCounts } from '#queue/contract/queue';
import type { SessionInfo } from '#queue/contract/session';
import type { Task } from '#queue/contract/task';

export const idOf = (n: number): string => `01KA9Z6Q0M${String(n).padStart(16, '0')}`;

const NOTHING = { p50: null, p95: null, p99: null };

export const statsOf = (change: Partial<StatsOverview> = {}): StatsOverview => ({
  total: 0,
  ...sumCounts([]),
  workers: 0,
  throughput_per_second: 0,
  latency_ms: NOTHING,
  failing_share: null,
  dead_per_hour: 0,
  failure_groups: 0,
  oldest_pending: null,
  fetching: 0,
  slots: 0,
  busy: 0,
  ...change,
});

export const queueOf = (name: string, change: Partial<Queue> = {}): Queue => ({
  name,
  paused: false,
  depth: sumCounts([]),
  oldest_pending_age: null,
  late: false,
  rate_in: 0,
  rate_out: 0,
  eta_seconds: 0,
  limits: { concurrency: null, rate: null, target_age: null, aging: null, durability: null, shards: 1 },
  workers: 0,
  fetching: 0,
  running: 0,
  slots: 0,
  oldest_pending_at: null,
  wait_ms: NOTHING,
  run_ms: NOTHING,
  failing_share: null,
  failed_per_hour: 0,
  ...change,
});

/** A pending mail. */
export const taskOf = (n: number, change: Partial<Task> = {}): Task => ({
  id: idOf(n),
  name: null,
  task_type: 'email',
  queue: 'default',
  priority: 5,
  payload: {},
  status: 'pending',
  progress: 0,
  progress_message: null,
  attempts: 0,
  max_retries: 3,
  timeout: 300,
  backoff: { type: 'exponential', base: 1, max: 300, jitter: 0.2 },
  run_at: null,
  expires_at: null,
  depends_on: [],
  tags: [],
  owner: null,
  idempotency_key: null,
  unique_key: null,
  created_at: '2026-11-22T12:00:00.000Z',
  started_at: null,
  finished_at: null,
  worker_id: null,
  result: null,
  error: null,
  next_run_at: null,
  cancel_requested: false,
  ...change,
});

/** An admin on an open, local connection. */
export const sessionInfoOf = (change: Partial<SessionInfo> = {}): SessionInfo => ({
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
  capabilities: ['requeueDlq', 'purgeDlq', 'startOperation', 'retryTask'],
  version: '0.1.0',
  now: '2026-11-22T12:00:00.000Z',
  redis_time_offset_ms: 0,
  store_refusal: null,
  ...change,
});
