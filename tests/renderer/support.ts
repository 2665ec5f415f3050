/** Time that the test moves, and the smallest valid frames. */
import type { StatsOverview } from '#queue/contract/queue';
import type { TaskSummary } from '#queue/contract/stream';
import type { Task } from '#queue/contract/task';
import type { BrowserTime } from '../../src-renderer/net/browser-time';
import type { TaskFrame } from '../../src-renderer/stores/task-list-store.svelte';

export class TestTime implements BrowserTime {
  #ms = 1_000_000;
  readonly #random: number;
  readonly #timers = new Set<{ atMs: number; run: () => void }>();

  constructor(random = 0.5) {
    this.#random = random;
  }

  now(): number {
    return this.#ms;
  }

  random(): number {
    return this.#random;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.#ms + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  advance(ms: number): void {
    const until = this.#ms + ms;
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > until) break;
      this.#timers.delete(next);
      this.#ms = next.atMs;
      next.run();
    }
    this.#ms = until;
  }
}

export const idOf = (n: number): string => `01KA9Z6Q0M${String(n).padStart(16, '0')}`;

export const statsOf = (): StatsOverview => ({
  total: 0,
  scheduled: 0,
  blocked: 0,
  pending: 0,
  processing: 0,
  retrying: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  workers: 0,
  throughput_per_second: 0,
  latency_ms: { p50: null, p95: null, p99: null },
});

export const snapshotOf = () => ({ stats: statsOf(), queues: [], workers: [], tasks: [] as Task[] });

export const taskOf = (n: number, more: Partial<Task> = {}): Task => ({
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
  ...more,
});

export const taskFrame = (
  n: number,
  event: TaskFrame['event'] = 'created',
  more: Partial<TaskSummary> = {},
): TaskFrame => ({
  type: 'task',
  seq: n,
  event,
  at: '2026-11-22T12:00:00.000Z',
  task: { id: idOf(n), queue: 'default', task_type: 'email', status: 'pending', ...more },
});
