/** A worker as the directory shows it. */
import { hostname } from 'node:os';
import { EVERY_QUEUE, isoTime } from '#queue/contract/primitives';
import type { WorkerBeat } from '#queue/engine/ports';
import { logicalQueue } from '#queue/kernel/shard-name';
import type { Attempt } from './attempt';
import type { WorkerConfig } from './config';
import type { Registry } from './registry';

export interface BeatFacts
  extends Pick<
    WorkerBeat,
    'id' | 'state' | 'completed' | 'failed' | 'event_loop_lag_ms' | 'last_fetch_at' | 'fetching' | 'cpu_percent'
  > {
  config: Pick<WorkerConfig, 'queues' | 'concurrency' | 'pool' | 'version'>;
  registry: Registry;
  running: readonly Attempt[];
  /** Queues that only `*` serves and that are in use, the latest first. */
  otherQueues: readonly string[];
  /** Unix ms. */
  startedAt: number;
}

export const workerBeat = ({ config, registry, running, otherQueues, startedAt, ...rest }: BeatFacts): WorkerBeat => ({
  ...rest,
  host: hostname(),
  pid: process.pid,
  version: config.version,
  pool: config.pool,
  queues: config.queues.map(({ name, weight }) => ({ name, weight })),
  ...(config.queues.some(({ name }) => name === EVERY_QUEUE) ? { serving: [...otherQueues] } : {}),
  task_types: [...registry.types],
  concurrency: config.concurrency,
  running: running.map((attempt) => ({
    id: attempt.task.id,
    task_type: attempt.task.type,
    queue: logicalQueue(attempt.task.queue),
    started_at: isoTime(attempt.startedAt),
    progress: attempt.recorder.told ? attempt.recorder.percent : null,
  })),
  memory_bytes: process.memoryUsage.rss(),
  heap_bytes: process.memoryUsage().heapUsed,
  blocked: false,
  started_at: isoTime(startedAt),
});
