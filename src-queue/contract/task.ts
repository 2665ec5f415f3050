/** The task as the outside sees it: what may be submitted and changed, and what is answered. */
import { z } from 'zod';
import { TASK_EVENTS, TASK_STATUSES } from './lifecycle';
import { LIMITS } from './limits';
import {
  Count,
  Durability,
  IdempotencyKey,
  Json,
  type JsonValue,
  Owner,
  Priority,
  QueueName,
  Tag,
  TaskId,
  TaskType,
  Time,
  TypePattern,
  text,
  UniqueKey,
} from './primitives';

export const Status = z.enum(TASK_STATUSES).meta({
  id: 'TaskStatus',
  description: '`completed`, `failed` and `cancelled` are final; `failed` means: in the dead-letter queue',
});

/** The back-off's first delay and its cap, seconds, and their bounds. */
export const DEFAULT_BACKOFF = { type: 'exponential', base: 1, max: 300, jitter: 0.2 } as const;

export const Backoff = z
  .strictObject({
    type: z.enum(['exponential', 'fixed']).default(DEFAULT_BACKOFF.type),
    base: z.number().min(0).max(86_400).default(DEFAULT_BACKOFF.base).describe('First delay, seconds'),
    max: z.number().min(0).max(604_800).default(DEFAULT_BACKOFF.max).describe('Longest delay, seconds'),
    jitter: z
      .number()
      .min(0)
      .max(1)
      .default(DEFAULT_BACKOFF.jitter)
      .describe('Share of the delay that is drawn by lot'),
  })
  .meta({ id: 'Backoff' });
export type Backoff = z.infer<typeof Backoff>;

/** Taken as it is: zod's record makes a copy, key by key, of what `findPayloadFault` has walked already. */
export const Payload = z
  .unknown()
  .refine((value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'must be an object')
  .meta({
    type: 'object',
    description: 'At most 256 KiB as JSON, 64 levels, no `__proto__` key',
    additionalProperties: { description: 'Any JSON value' },
  }) as unknown as z.ZodType<Record<string, JsonValue>>;

export const Name = text(LIMITS.nameLength);
export const MaxRetries = z.int().min(0).max(100);
export const Timeout = z.number().min(0.1).max(86_400);
export const Tags = z
  .array(Tag)
  .max(LIMITS.tags)
  .transform((tags) => [...new Set(tags)]);

/** Fields that are absent take the defaults of the server: `max_retries` and `timeout` from its configuration. */
export const SubmitTask = z
  .strictObject({
    name: Name.nullish().describe('A label for people'),
    task_type: TaskType,
    queue: QueueName.default('default'),
    priority: Priority.default(5),
    payload: Payload.default({}),
    max_retries: MaxRetries.optional().describe('At most max_retries + 1 executions; default 3'),
    timeout: Timeout.optional().describe('Of one execution, seconds; default 300'),
    backoff: Backoff.optional(),
    run_at: Time.nullish().describe('Not before this moment'),
    expires_at: Time.nullish().describe('Not started after this moment'),
    depends_on: z
      .array(TaskId)
      .max(LIMITS.dependencies)
      .optional()
      .transform((ids) => (ids ? [...new Set(ids)] : undefined))
      .describe('Blocked until all of them are completed'),
    tags: Tags.optional(),
    owner: Owner.nullish().describe('Who submitted it; set by the API key where there is one'),
    idempotency_key: IdempotencyKey.nullish(),
    unique_key: UniqueKey.nullish(),
    durability: Durability.nullish().describe("Absent: the queue's, see its limits"),
  })
  .meta({ id: 'SubmitTask' });
export type SubmitTask = z.infer<typeof SubmitTask>;
export type SubmitTaskInput = z.input<typeof SubmitTask>;

export const PatchTask = z
  .strictObject({
    name: Name.nullable(),
    priority: Priority,
    run_at: Time.nullable(),
    payload: Payload,
    tags: Tags,
    max_retries: MaxRetries,
  })
  .partial()
  .refine((patch) => Object.keys(patch).length > 0, 'must change something')
  .meta({ id: 'PatchTask' });
export type PatchTask = z.infer<typeof PatchTask>;

export const RetryTask = z
  .strictObject({ payload: Payload.optional(), priority: Priority.optional() })
  .meta({ id: 'RetryTask' });

export const TaskError = z
  .object({
    name: z.string(),
    message: z.string(),
    stack: z.string().nullable(),
    fingerprint: z.string().describe('Equal for failures with the same cause; groups the dead-letter queue'),
    at: Time,
  })
  .meta({ id: 'TaskError' });
export type TaskError = z.infer<typeof TaskError>;

export const Task = z
  .object({
    id: TaskId,
    name: z.string().nullable(),
    task_type: TaskType,
    queue: QueueName,
    priority: Priority,
    payload: Payload.nullable().describe('Null in lists where it is very long: see `omitted`'),
    status: Status,
    progress: z.number().min(0).max(100),
    progress_message: z.string().nullable(),
    attempts: Count.describe('Executions started so far'),
    max_retries: MaxRetries,
    timeout: Timeout,
    backoff: Backoff,
    run_at: Time.nullable(),
    expires_at: Time.nullable(),
    depends_on: z.array(TaskId),
    tags: z.array(z.string()),
    owner: z.string().nullable(),
    idempotency_key: z.string().nullable(),
    unique_key: z.string().nullable(),
    created_at: Time,
    started_at: Time.nullable(),
    finished_at: Time.nullable(),
    attempt_ended_at: Time.nullish().describe('When the execution that began at started_at ended; null while it runs'),
    worker_id: z.string().nullable(),
    result: Json.nullable(),
    error: TaskError.nullable().describe('Of the last failed attempt'),
    next_run_at: Time.nullable().describe('When a scheduled or retrying task comes due'),
    cancel_requested: z.boolean().describe('A cancel was asked for while it runs'),
    omitted: z
      .array(z.enum(['payload', 'result']))
      .optional()
      .describe('Fields left out of a list for their length'),
    warnings: z.array(z.string()).optional().describe('On submit: accepted, but look at this'),
  })
  .meta({ id: 'Task' });
export type Task = z.infer<typeof Task>;

export const HistoryEntry = z
  .object({
    at: Time,
    event: z.enum(TASK_EVENTS),
    attempt: Count.nullable(),
    worker_id: z.string().nullable(),
    detail: z.string().nullable(),
    error: TaskError.nullable(),
    started_at: Time.nullable().describe('Of an execution that starts or ends: when it started'),
    ready_at: Time.nullable().describe(
      'Of one that starts: when it could have; from then on it waited. Null where that is not known',
    ),
    next_run_at: Time.nullable().describe('When it comes due after this: run_at, the end of a back-off or of a sleep'),
  })
  .meta({ id: 'HistoryEntry' });
export type HistoryEntry = z.infer<typeof HistoryEntry>;

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const LogLine = z
  .object({ at: Time, level: z.enum(LOG_LEVELS), message: z.string(), attempt: Count })
  .meta({ id: 'LogLine' });
export type LogLine = z.infer<typeof LogLine>;

export const EXPLAIN_CODES = [
  'ready',
  'running',
  'cancelling',
  'final',
  'scheduled',
  'retrying',
  'paused',
  'rate_limited',
  'concurrency',
  'no_worker_for_queue',
  'no_worker_for_type',
  'behind',
  'dependency',
  'expires',
] as const;

export const Explanation = z
  .object({
    status: Status,
    reasons: z.array(z.object({ code: z.enum(EXPLAIN_CODES), message: z.string(), until: Time.nullable() })),
    position: Count.nullable().describe(
      'Pending tasks of its queue that run before it; in a queue with shards, those of its shard',
    ),
    eta_seconds: z.number().min(0).nullable(),
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.infer<typeof Explanation>;

const oneOrMore = <Item extends z.ZodType>(item: Item) => z.union([item, z.array(item).min(1).max(50)]);

/** `path:value`; the path is dotted, and a number in it may be an index. */
export const PayloadMatch = text(500)
  .regex(/^[^:]{1,200}:/, 'must be path:value, such as order.id:1234')
  .describe('`path:value`: a text, number, true, false or null at this place; in quotes: only a text');
export const PayloadMatches = z.array(PayloadMatch).min(1).max(LIMITS.payloadFilters);
export const RunSeconds = z.number().min(0).max(31_536_000);
const AttemptsMin = z.int().min(0).max(10_000);

/** Filters of every list of tasks, and of every selection that an operation works on. */
export const TaskFilter = z
  .strictObject({
    status: z.union([Status, z.array(Status).min(1)]).optional(),
    queue: oneOrMore(QueueName).optional(),
    task_type: oneOrMore(TypePattern).optional().describe('With `*` at its end: all types that begin so'),
    tag: Tag.optional(),
    owner: Owner.optional(),
    error: text(200)
      .min(1)
      .optional()
      .describe(
        'Fingerprint or text of the last error. Without `status`, lists look into failed, retrying and processing tasks, and operations take failed ones',
      ),
    q: text(200).min(1).optional().describe('Id, name, or text in the payload'),
    since: Time.optional().describe('Created at or after'),
    until: Time.optional().describe('Created before'),
    worker: text(200)
      .min(1)
      .optional()
      .describe('Id of the worker that ran it last; with `*` at its end: all that begin so'),
    attempts_min: AttemptsMin.optional().describe('Executions started so far, at least'),
    run_min: RunSeconds.optional().describe('Seconds that its last execution took, or takes, at least'),
    priority: oneOrMore(Priority).optional(),
    payload: PayloadMatches.optional().describe('All of them must hold'),
  })
  .meta({ id: 'TaskFilter' });
export type TaskFilter = z.infer<typeof TaskFilter>;

export const TaskPage = z
  .object({
    tasks: z.array(Task),
    next_cursor: z.string().nullable(),
    total: Count,
    total_exact: z
      .boolean()
      .describe('False where `total` is an upper bound: a combination of large filters, or a search'),
    scanned: Count.optional().describe('Records looked at for this page, where no index serves the whole filter'),
  })
  .meta({ id: 'TaskPage' });
export type TaskPage = z.infer<typeof TaskPage>;

export const SUGGEST_FIELDS = ['type', 'queue', 'tag', 'owner', 'worker', 'error'] as const;
export type SuggestField = (typeof SUGGEST_FIELDS)[number];

export const Suggestion = z
  .object({
    value: z.string().describe('What a filter takes'),
    label: z.string().nullable().describe('For people, where the value is not: the error of a fingerprint'),
    count: Count.nullable().describe('Tasks; null where no index counts them'),
  })
  .meta({ id: 'Suggestion' });
export type Suggestion = z.infer<typeof Suggestion>;

export const BulkSubmitReply = z
  .object({
    accepted: Count,
    rejected: Count,
    ids: z.array(TaskId.nullable()),
    errors: z.array(z.object({ index: Count, message: z.string() })),
    warnings: z.array(z.string()).optional().describe('Accepted, but look at this'),
  })
  .meta({ id: 'BulkSubmitReply' });
export type BulkSubmitReply = z.infer<typeof BulkSubmitReply>;
