/** WebSocket frames, both ways. docs/protocol.md has the order in which they come. */
import { z } from 'zod';
import { TASK_EVENTS } from './lifecycle';
import { LIMITS } from './limits';
import { Operation } from './operation';
import { Count, Priority, QueueName, TaskId, TaskType, Time } from './primitives';
import { Queue, StatsOverview } from './queue';
import { SafetyState, SystemState } from './session';
import { Status, Task } from './task';
import { Worker } from './worker';

/** Seconds between two pings, told in `hello`. */
export const HEARTBEAT_SECONDS = 15;
export const PROTOCOL_VERSION = 1;
export const CLOSE_CODES = { silent: 4408, badFrames: 1008, tooSlow: 1013, goingAway: 1001 } as const;

/** What a frame tells of a task: made from the event alone, so it needs no read. */
export const TaskSummary = z
  .object({
    id: TaskId,
    queue: QueueName,
    task_type: TaskType,
    status: Status,
    priority: Priority.optional(),
    attempts: Count.optional(),
    max_retries: Count.optional().describe('Where the task is created, or changed by hand'),
    progress: z.number().optional(),
    progress_message: z.string().nullable().optional(),
    worker_id: z.string().nullable().optional(),
    started_at: Time.nullable().optional(),
    finished_at: Time.nullable().optional(),
    next_run_at: Time.nullable().optional(),
    error: z.object({ name: z.string(), fingerprint: z.string() }).nullable().optional(),
  })
  .meta({ id: 'TaskSummary' });
export type TaskSummary = z.infer<typeof TaskSummary>;

const seq = Count;
export const ServerFrame = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    protocol: z.literal(PROTOCOL_VERSION),
    seq,
    heartbeat: z.number(),
    version: z.string(),
  }),
  z.object({
    type: z.literal('snapshot'),
    seq,
    stats: StatsOverview,
    queues: z.array(Queue),
    workers: z.array(Worker),
    tasks: z.array(Task),
    operations: z.array(Operation).optional().describe('Those that run or are paused, newest first'),
    system: SystemState.optional(),
  }),
  z.object({ type: z.literal('task'), seq, event: z.enum(TASK_EVENTS), at: Time, task: TaskSummary }),
  z.object({ type: z.literal('stats'), stats: StatsOverview }),
  z.object({ type: z.literal('queues'), queues: z.array(Queue) }),
  z.object({ type: z.literal('workers'), workers: z.array(Worker) }),
  z.object({ type: z.literal('operation'), operation: Operation }),
  z.object({ type: z.literal('system'), ...SystemState.shape }),
  z.object({ type: z.literal('session'), safety: SafetyState }),
  z.object({ type: z.literal('alert'), message: z.string() }),
  z.object({ type: z.literal('connection'), redis: z.enum(['up', 'down']) }),
  z.object({ type: z.literal('subscribed'), topics: z.array(z.string()), seq }),
  z.object({ type: z.literal('resync'), reason: z.string() }),
  z.object({ type: z.literal('ping'), at: Time }),
  z.object({ type: z.literal('error'), message: z.string() }),
]);
export type ServerFrame = z.infer<typeof ServerFrame>;

/** `tasks`, `stats`, `queues`, `workers`, `operations`, `alerts`, `system`, `queue:<name>`, `task:<id>`. */
export const Topic = z
  .string()
  .regex(
    /^(tasks|stats|queues|workers|operations|alerts|system|queue:[A-Za-z0-9][A-Za-z0-9_.-]{0,63}|task:[0-7][0-9A-HJKMNP-TV-Z]{25})$/,
    'is not a topic',
  );

export const ClientFrame = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('subscribe'),
    topics: z.array(Topic).max(LIMITS.wsTopics).optional(),
    since: Count.optional(),
  }),
  z.strictObject({ type: z.literal('unsubscribe'), topics: z.array(Topic).max(LIMITS.wsTopics).optional() }),
  z.looseObject({ type: z.literal('pong') }),
]);
export type ClientFrame = z.infer<typeof ClientFrame>;
