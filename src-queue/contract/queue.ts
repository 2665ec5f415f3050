import { z } from 'zod';
import { TASK_STATUSES } from './lifecycle';
import { Count, QueueName, Time } from './primitives';

export const StatusCounts = z
  .object({
    scheduled: Count,
    blocked: Count,
    pending: Count,
    processing: Count,
    retrying: Count,
    completed: Count,
    failed: Count,
    cancelled: Count,
  })
  .meta({ id: 'StatusCounts' });
export type StatusCounts = z.infer<typeof StatusCounts>;

/** The sum, status by status; zeroes where there is nothing to add up. */
export function sumCounts(all: Iterable<StatusCounts>): StatusCounts {
  const sum = {
    scheduled: 0,
    blocked: 0,
    pending: 0,
    processing: 0,
    retrying: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
  };
  for (const counts of all) for (const status of TASK_STATUSES) sum[status] += counts[status];
  return sum;
}

export const totalOf = (counts: StatusCounts): number =>
  TASK_STATUSES.reduce((total, status) => total + counts[status], 0);

export const QueueLimits = z
  .object({
    concurrency: z.int().min(1).max(1_000_000).nullable().describe('Most tasks that run at once over all workers'),
    rate: z
      .strictObject({
        max: z.int().min(1).max(1_000_000).describe('Starts'),
        per: z.number().min(0.001).max(86_400).describe('in so many seconds'),
      })
      .nullable(),
    target_age: z
      .number()
      .min(0)
      .max(31_536_000)
      .nullable()
      .describe('Seconds that the oldest pending task may wait before the queue counts as late'),
    aging: z
      .number()
      .min(0.001)
      .max(86_400)
      .nullable()
      .describe(
        'Seconds of waiting, from creation, that make up for one priority, so that no task starves; null is strict order. Changes only while nothing is pending or running',
      ),
  })
  .meta({ id: 'QueueLimits' });
export type QueueLimits = z.infer<typeof QueueLimits>;

/** A field that is absent stays as it is; null removes. */
export const SetQueueLimits = z.strictObject(QueueLimits.shape).partial().meta({ id: 'SetQueueLimits' });

export const Queue = z
  .object({
    name: QueueName,
    paused: z.boolean(),
    depth: StatusCounts,
    oldest_pending_age: z.number().nullable().describe('Seconds; null where nothing is pending'),
    late: z.boolean().describe('The oldest pending task waits longer than target_age'),
    rate_in: z.number().describe('Tasks submitted a second, over the last minute'),
    rate_out: z.number().describe('Tasks that ended a second, over the last minute'),
    eta_seconds: z.number().nullable().describe('Time to drain at this rate; null where it does not drain'),
    limits: QueueLimits,
    workers: Count.describe('Live workers that serve this queue'),
  })
  .meta({ id: 'Queue' });
export type Queue = z.infer<typeof Queue>;

export const PurgeQueue = z
  .strictObject({ confirm: z.string().describe("The queue's name") })
  .meta({ id: 'PurgeQueue' });

export const StatsOverview = z
  .object({
    total: Count,
    ...StatusCounts.shape,
    workers: Count,
    throughput_per_second: z.number().describe('Tasks completed a second, over the last minute'),
    latency_ms: z
      .object({ p50: z.number().nullable(), p95: z.number().nullable(), p99: z.number().nullable() })
      .describe('From the moment a task is ready to its start, over the last 5 minutes; null where nothing ran'),
  })
  .meta({ id: 'StatsOverview' });
export type StatsOverview = z.infer<typeof StatsOverview>;

export const TimeseriesPoint = z.object({
  at: Time,
  created: Count,
  started: Count,
  completed: Count,
  failed: Count.describe('Attempts that failed'),
  dead: Count.describe('Tasks that entered the dead-letter queue'),
  wait_ms: z.object({ p50: z.number().nullable(), p95: z.number().nullable(), p99: z.number().nullable() }),
  run_ms: z.object({ p50: z.number().nullable(), p95: z.number().nullable(), p99: z.number().nullable() }),
  depth: Count.nullable().describe('Pending tasks at the end of the step; null where nobody looked'),
});
export const Timeseries = z
  .object({ range: z.number(), step: z.number(), queue: QueueName.nullable(), points: z.array(TimeseriesPoint) })
  .meta({ id: 'Timeseries' });
export type Timeseries = z.infer<typeof Timeseries>;
