import { z } from 'zod';
import { LIMITS } from './limits';
import { Count, Json, QueueName, ServedQueue, TaskId, TaskType, Time, text } from './primitives';

export const WORKER_STATES = ['starting', 'running', 'quiet', 'stopping'] as const;

export const Worker = z
  .object({
    id: z.string(),
    host: z.string(),
    pid: Count,
    version: z.string(),
    state: z.enum(WORKER_STATES),
    pool: z.string().nullable().describe('Id of the pool that runs it; null where it was started by hand'),
    queues: z.array(z.object({ name: ServedQueue, weight: z.int().min(1) })),
    serving: z
      .array(QueueName)
      .optional()
      .describe(
        `Where \`queues\` has \`*\`: the queues in which it has found or awaited work of late, at most ${LIMITS.servingShown}, the latest first`,
      ),
    task_types: z.array(TaskType),
    concurrency: Count,
    running: z.array(
      z.object({
        id: TaskId,
        task_type: TaskType,
        queue: QueueName,
        started_at: Time,
        progress: z.number().min(0).max(100).nullish().describe('Per cent; null where its handler told none'),
      }),
    ),
    completed: Count,
    failed: Count,
    memory_bytes: Count.describe('Resident set size'),
    event_loop_lag_ms: z.number().describe('99th percentile since the last heartbeat'),
    blocked: z
      .boolean()
      .describe('Its event loop did not turn in the last seconds: a handler computes without a pause'),
    started_at: Time,
    last_heartbeat_at: Time,
    // Absent where the worker is of a version that does not tell.
    last_fetch_at: Time.nullish().describe('When a request for work of this worker was last answered'),
    fetching: z
      .boolean()
      .optional()
      .describe('It asks for work (an answer in the last 10 s), or has no free slot for any'),
    cpu_percent: z.number().min(0).nullish().describe('Of one core, since the last heartbeat'),
    heap_bytes: Count.optional().describe('JavaScript heap in use'),
  })
  .meta({ id: 'Worker' });
export type Worker = z.infer<typeof Worker>;

export const TaskTypeInfo = z
  .object({
    task_type: TaskType,
    description: z.string().nullable(),
    payload_schema: Json.nullable().describe('JSON Schema of the payload; null where the handler has none'),
    timeout: z.number().nullable(),
    workers: z.array(z.string()).describe('Ids of the live workers that serve it'),
    queues: z.array(ServedQueue).describe('Queues that those workers serve; `*` is every queue'),
  })
  .meta({ id: 'TaskTypeInfo' });
export type TaskTypeInfo = z.infer<typeof TaskTypeInfo>;

const PoolQueue = z.strictObject({ name: ServedQueue, weight: z.int().min(1).max(100).default(1) });
/** `emails` and `emails=2` are short for an object, as on the command line. */
const fromText = (value: unknown): unknown => {
  if (typeof value !== 'string') return value;
  const parts = /^(.*)=(\d{1,9})$/.exec(value);
  return parts === null ? { name: value } : { name: parts[1], weight: Number(parts[2]) };
};
/** As they are kept and told. */
export const PoolQueues = z.array(PoolQueue).min(1).max(100);
const PoolQueuesInput = z
  .array(z.preprocess(fromText, PoolQueue))
  .min(1)
  .max(100)
  .refine((queues) => new Set(queues.map(({ name }) => name)).size === queues.length, 'names a queue twice')
  .describe('Each an object, or text: `emails` or `emails=2`; `*` is every queue that is not named');

const poolShape = {
  name: text(64).min(1),
  queues: PoolQueues,
  concurrency: z.int().min(1).max(LIMITS.concurrency),
  processes: z.int().min(0).max(64),
  handlers: z.string().max(4096).nullable().describe("A folder of handlers on the server's machine"),
  autoscale: z
    .strictObject({
      min: z.int().min(0).max(64),
      max: z.int().min(1).max(64),
      target_latency: z
        .number()
        .min(0.1)
        .max(86_400)
        .describe('Seconds that the oldest pending task should wait at most'),
    })
    .refine((scale) => scale.min <= scale.max, { path: ['min'], message: 'must not be above max' })
    .nullable(),
};

export const CreatePool = z
  .strictObject({
    ...poolShape,
    queues: PoolQueuesInput.default([{ name: 'default', weight: 1 }]),
    concurrency: poolShape.concurrency.default(10),
    processes: poolShape.processes.default(1),
    handlers: poolShape.handlers.default(null),
    autoscale: poolShape.autoscale.default(null),
  })
  .meta({ id: 'CreatePool' });
export type CreatePool = z.infer<typeof CreatePool>;

export const PatchPool = z
  .strictObject({ ...poolShape, queues: PoolQueuesInput })
  .partial()
  .meta({ id: 'PatchPool' });
export type PatchPool = z.infer<typeof PatchPool>;

export const PoolProcess = z.object({
  pid: Count.nullable(),
  worker_id: z.string(),
  state: z
    .enum(['starting', 'running', 'stopping', 'waiting'])
    .describe('waiting: it crashed and is started again soon'),
  restarts: Count,
  started_at: Time.nullable(),
});

export const PoolExit = z.object({
  at: Time,
  worker_id: z.string(),
  code: z.int().nullable(),
  signal: z.string().nullable(),
  reason: z.string(),
  running: z.array(z.object({ id: TaskId, task_type: TaskType })).describe('Tasks that ran when it ended'),
});

export const Pool = z
  .object({
    id: z.string(),
    ...poolShape,
    members: z.array(PoolProcess),
    exits: z.array(PoolExit).describe('The last 20 ends that nobody asked for, newest first'),
    output: z.array(z.string()).describe('The last lines that its processes printed'),
    log: z
      .array(z.object({ at: Time, worker_id: z.string(), line: z.string() }))
      .describe('The same lines, with the worker and the moment they came'),
    restarting: z
      .object({ done: Count, of: Count.describe('Processes that the restart began with') })
      .nullable()
      .describe('A rolling restart that goes on'),
  })
  .meta({ id: 'Pool' });
export type Pool = z.infer<typeof Pool>;
