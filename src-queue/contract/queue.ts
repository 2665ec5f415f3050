import { z } from 'zod';
import { TASK_STATUSES } from './lifecycle';
import { LIMITS } from './limits';
import { Count, Durability, QueueName, Time } from './primitives';

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
    durability: Durability.nullable().describe('Of submits that do not name theirs; null is memory'),
    shards: z
      .int()
      .min(1)
      .max(LIMITS.shards)
      .describe(
        'Parts that new tasks are spread over, for a queue that is too busy for one Redis thread. The order of priority holds within a part only; limits are divided among them',
      ),
  })
  .meta({ id: 'QueueLimits' });
export type QueueLimits = z.infer<typeof QueueLimits>;

/** A field that is absent stays as it is; null removes, and is one shard. */
export const SetQueueLimits = z
  .strictObject({ ...QueueLimits.shape, shards: QueueLimits.shape.shards.nullable() })
  .partial()
  .meta({ id: 'SetQueueLimits' });
export type SetQueueLimits = z.infer<typeof SetQueueLimits>;

/** Milliseconds; null where nothing was observed. */
export const Percentiles = z
  .object({ p50: z.number().nullable(), p95: z.number().nullable(), p99: z.number().nullable() })
  .meta({ id: 'Percentiles', description: 'Milliseconds; null where nothing was observed' });
export type Percentiles = z.infer<typeof Percentiles>;

const Share = z.number().min(0).max(1);
const FAILING_SHARE = 'Failed attempts of all that ended, over the last 5 minutes; null where none ended';
const DEAD_LAST_HOUR = 'Tasks that entered the dead-letter queue in the last hour, as far as a server looked';

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
    fetching: Count.describe('Of those, the ones that ask for work, or have no free slot for any'),
    running: Count.describe('Tasks that run now'),
    slots: Count.describe('Sum of the concurrency of the live workers that serve it; they may serve others, too'),
    oldest_pending_at: Time.nullable().describe('When the oldest pending task was created'),
    wait_ms: Percentiles.describe('From the moment a task is ready to its start, over the last 5 minutes'),
    run_ms: Percentiles.describe('Of attempts that ended in the last 5 minutes'),
    failing_share: Share.nullable().describe(FAILING_SHARE),
    failed_per_hour: Count.describe(DEAD_LAST_HOUR),
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
    latency_ms: Percentiles.describe(
      'From the moment a task is ready to its start, over the last 5 minutes; null where nothing ran',
    ),
    failing_share: Share.nullable().describe(FAILING_SHARE),
    dead_per_hour: Count.describe(DEAD_LAST_HOUR),
    failure_groups: Count.describe('Causes in the dead-letter queue: see its groups; at most two seconds old'),
    oldest_pending: z
      .object({
        queue: QueueName,
        age: z.number().min(0).describe('Seconds'),
        target_age: z.number().nullable().describe('Of that queue: see its limits'),
      })
      .nullable()
      .describe('The longest waiting pending task of all queues that are not paused; null where none waits'),
    fetching: Count.describe('Live workers that ask for work, or have no free slot for any'),
    slots: Count.describe('Sum of the concurrency of the live workers'),
    busy: Count.describe('Slots in which a task ran at the last heartbeats'),
  })
  .meta({ id: 'StatsOverview' });
export type StatsOverview = z.infer<typeof StatsOverview>;

/** The states whose depth is looked at with every step: those in which a task waits, runs or needs somebody. */
export const SAMPLED_STATUSES = ['scheduled', 'blocked', 'pending', 'processing', 'retrying', 'failed'] as const;

export const QueueTypes = z
  .object({
    queue: QueueName,
    since: Time.describe('Rates and failures are counted from here on, at most an hour back'),
    pending_total: Count,
    pending_sampled: Count.describe(
      'Pending tasks whose type was looked at; all of them where it equals pending_total',
    ),
    types: z.array(
      z.object({
        task_type: z.string(),
        pending: Count.describe('Of the pending tasks that were looked at'),
        running: Count.describe('At the last heartbeats of its live workers'),
        rate_in: z.number().describe('Tasks submitted a second, over the last minute'),
        rate_out: z.number().describe('Tasks that ended a second, over the last minute'),
        run_ms: Percentiles.describe('Of attempts that ended in the last 5 minutes'),
        failing_share: Share.nullable().describe(FAILING_SHARE),
        failed_per_hour: Count.describe('Tasks that entered the dead-letter queue in the last hour, from `since` on'),
      }),
    ),
  })
  .meta({ id: 'QueueTypes' });
export type QueueTypes = z.infer<typeof QueueTypes>;

const Seen = Count.nullable();
export const TimeseriesPoint = z.object({
  at: Time,
  created: Seen,
  started: Seen,
  completed: Seen,
  failed: Seen.describe('Attempts that failed'),
  dead: Seen.describe('Tasks that entered the dead-letter queue'),
  wait_ms: Percentiles,
  run_ms: Percentiles,
  depth: Seen.describe('Pending tasks at the end of the step'),
  retrying: Seen.describe('Tasks that waited for a retry at the end of the step'),
  depths: z
    .object({ scheduled: Count, blocked: Count, pending: Count, processing: Count, retrying: Count, failed: Count })
    .nullable()
    .describe('By status, at the end of the step'),
  oldest_pending_age: z.number().nullable().describe('Seconds, at the end of the step; null also where nothing waited'),
});
export const Timeseries = z
  .object({
    range: z.number(),
    step: z.number(),
    queue: QueueName.nullable(),
    points: z.array(TimeseriesPoint),
    queue_depths: z
      .array(z.object({ queue: QueueName, depth: z.array(z.number().nullable()) }))
      .optional()
      .describe(
        'Of the queues asked for with `depths`, in their order: pending tasks at the end of each step of `points`',
      ),
  })
  .meta({ id: 'Timeseries', description: 'Null wherever no server looked: a gap is a gap, not zero' });
export type Timeseries = z.infer<typeof Timeseries>;
