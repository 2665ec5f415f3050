/** What Prometheus is told: requests of this process, and the queues and workers of its Redis, read when it asks. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { TASK_STATUSES } from '#queue/contract/lifecycle';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import type { FleetView } from './fleet-view';
import type { MetricsSource, RedisProbe } from './ports';
import { answers } from './redis-watch';

export interface ApiMetricsDeps {
  fleet: FleetView;
  metrics: MetricsSource;
  redis: RedisProbe;
  clock: Clock;
  log: Log;
  /** Memory, CPU and event loop of this process too. */
  ofProcess: boolean;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class ApiMetrics {
  readonly #deps: ApiMetricsDeps;
  readonly #registry = new Registry();
  readonly #requests: Counter<'method' | 'route' | 'status'>;
  readonly #durations: Histogram<'method' | 'route'>;
  readonly #depth: Gauge<'queue' | 'status'>;
  readonly #oldest: Gauge<'queue'>;
  readonly #paused: Gauge<'queue'>;
  readonly #workers: Gauge;
  readonly #running: Gauge;
  readonly #redisUp: Gauge;
  readonly #events: Counter<'event'>;
  readonly #counted = new Map<string, number>();

  constructor(deps: ApiMetricsDeps) {
    this.#deps = deps;
    const registers = [this.#registry];
    this.#requests = new Counter({
      registers,
      name: 'millrace_http_requests_total',
      help: 'Requests answered',
      labelNames: ['method', 'route', 'status'],
    });
    this.#durations = new Histogram({
      registers,
      name: 'millrace_http_request_duration_seconds',
      help: 'Time to answer',
      labelNames: ['method', 'route'],
      buckets: SECONDS,
    });
    this.#depth = new Gauge({
      registers,
      name: 'millrace_queue_tasks',
      help: 'Tasks by status',
      labelNames: ['queue', 'status'],
    });
    this.#oldest = new Gauge({
      registers,
      name: 'millrace_queue_oldest_pending_seconds',
      help: 'Age of the oldest pending task',
      labelNames: ['queue'],
    });
    this.#paused = new Gauge({
      registers,
      name: 'millrace_queue_paused',
      help: '1 where the queue is paused',
      labelNames: ['queue'],
    });
    this.#workers = new Gauge({ registers, name: 'millrace_workers', help: 'Live workers' });
    this.#running = new Gauge({ registers, name: 'millrace_tasks_running', help: 'Tasks that live workers run' });
    this.#redisUp = new Gauge({ registers, name: 'millrace_redis_up', help: '1 where Redis answers' });
    this.#events = new Counter({
      registers,
      name: 'millrace_task_events_total',
      help: 'Task events seen since this process started',
      labelNames: ['event'],
    });
    if (deps.ofProcess) collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** @param route the path as it stands in the route table, so that ids make no series of their own */
  observe(method: string, route: string, status: number, seconds: number): void {
    this.#requests.inc({ method, route, status: String(status) });
    this.#durations.observe({ method, route }, seconds);
  }

  /** The exposition; without the queues while Redis is away. */
  async text(): Promise<string> {
    const { redis, clock, log } = this.#deps;
    const up = await answers(redis, clock);
    this.#redisUp.set(up ? 1 : 0);
    if (up)
      await this.#readFleet().catch((error: unknown) => log.warn('could not read the queues for /metrics', { error }));
    for (const [event, total] of this.#deps.metrics.eventTotals()) {
      this.#events.inc({ event }, Math.max(0, total - (this.#counted.get(event) ?? 0)));
      this.#counted.set(event, total);
    }
    return this.#registry.metrics();
  }

  async #readFleet(): Promise<void> {
    const [queues, workers] = await Promise.all([this.#deps.fleet.queues(), this.#deps.fleet.workers()]);
    for (const gauge of [this.#depth, this.#oldest, this.#paused]) gauge.reset(); // queues that are gone leave no series
    for (const queue of queues) {
      for (const status of TASK_STATUSES) this.#depth.set({ queue: queue.name, status }, queue.depth[status]);
      this.#oldest.set({ queue: queue.name }, queue.oldest_pending_age ?? 0);
      this.#paused.set({ queue: queue.name }, queue.paused ? 1 : 0);
    }
    this.#workers.set(workers.length);
    this.#running.set(workers.reduce((sum, worker) => sum + worker.running.length, 0));
  }
}
