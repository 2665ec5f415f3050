/** Time that the test moves, and the smallest valid frames. */
import type { TaskSummary } from '#queue/contract/stream';
import type { Task } from '#queue/contract/task';
import type { Worker } from '#queue/contract/worker';
import type { BrowserTime } from '../../src-renderer/net/browser-time';
import type { TaskFrame } from '../../src-renderer/stores/task-list-store.svelte';
import { idOf, statsOf } from '../support/wire';

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

export const snapshotOf = () => ({ stats: statsOf(), queues: [], workers: [], tasks: [] as Task[] });

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

export const workerOf = (id: string, change: Partial<Worker> = {}): Worker => ({
  id,
  host: 'eu-w-03',
  pid: 4711,
  version: '0.1.0',
  state: 'running',
  pool: null,
  queues: [{ name: 'default', weight: 1 }],
  task_types: ['email'],
  concurrency: 10,
  running: [],
  completed: 0,
  failed: 0,
  memory_bytes: 0,
  event_loop_lag_ms: 0,
  blocked: false,
  started_at: '2026-11-22T12:00:00.000Z',
  last_heartbeat_at: '2026-11-22T12:00:00.000Z',
  ...change,
});
