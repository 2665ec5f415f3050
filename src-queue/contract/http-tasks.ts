/** Routes of single tasks, their lists, and submitting. */
import { z } from 'zod';
import type { Route } from './http';
import { commaList, decimalNumber, pageShape, repeated, TaskParams, wholeNumber } from './http-fields';
import { LIMITS } from './limits';
import { IdempotencyKey, QueueName, TypePattern, text } from './primitives';
import { StatsOverview } from './queue';
import {
  BulkSubmitReply,
  Explanation,
  HistoryEntry,
  LogLine,
  PatchTask,
  PayloadMatch,
  RetryTask,
  Status,
  SUGGEST_FIELDS,
  SubmitTask,
  Suggestion,
  Task,
  TaskFilter,
  TaskPage,
} from './task';

const TASK = { description: 'The task', body: Task };

/** Filters of a list, as a query; where several values are allowed, they may be a list with commas. */
export const TaskQuery = TaskFilter.extend({
  status: commaList(Status).optional(),
  queue: commaList(QueueName).optional(),
  task_type: commaList(TypePattern).optional(),
  attempts_min: wholeNumber(0, 10_000).optional(),
  run_min: decimalNumber(0, 31_536_000).optional(),
  priority: commaList(z.string().regex(/^(?:[1-9]|10)$/, 'must be 1 to 10'))
    .transform((all) => all.map(Number))
    .optional(),
  payload: repeated(PayloadMatch, LIMITS.payloadFilters).optional(),
  ...pageShape,
});

export const BulkSubmit = z
  .strictObject({ tasks: z.array(SubmitTask).max(LIMITS.bulkTasks) })
  .meta({ id: 'BulkSubmit' });

export const Artifact = z
  .object({ name: z.string(), bytes: z.int().min(0), media_type: z.string(), modified_at: z.iso.datetime() })
  .meta({ id: 'Artifact' });

export const taskRoutes = {
  submitTask: {
    method: 'POST',
    path: '/api/tasks',
    aliases: ['/tasks'],
    tag: 'tasks',
    role: 'operator',
    summary: 'Submit a task',
    description:
      'With `idempotency_key`, or the header `Idempotency-Key`, a repeat within 24 h answers 200 with the first task and enqueues nothing; with another body it is refused. A task type that no live worker serves is accepted, with `warnings` in the answer. Where the caller has an API key, `owner` is the name of that key.',
    headers: z.object({ 'idempotency-key': IdempotencyKey.optional() }),
    body: SubmitTask,
    replies: {
      201: { description: 'Accepted', body: Task },
      200: { description: 'It had been submitted before; nothing was enqueued', body: Task },
    },
    errors: ['IDEMPOTENCY_CONFLICT', 'DUPLICATE_UNIQUE_KEY', 'QUEUE_FULL', 'REDIS_FULL', 'NOT_DURABLE', 'STORAGE'],
  },
  submitTasks: {
    method: 'POST',
    path: '/api/tasks/bulk',
    tag: 'tasks',
    role: 'operator',
    summary: 'Submit many tasks',
    description: `As JSON up to ${LIMITS.bulkTasks} tasks; as NDJSON, one task a line, up to ${LIMITS.ndjsonTasks}, stored while they arrive. Each task is accepted or rejected by itself, in the order given; \`ids\` has null where one was rejected, and \`errors\` says why.`,
    body: BulkSubmit,
    streams: ['application/json', 'application/x-ndjson'],
    replies: { 201: { description: 'Each accepted or rejected', body: BulkSubmitReply } },
    errors: ['QUEUE_FULL', 'REDIS_FULL', 'NOT_DURABLE', 'STORAGE'],
  },
  listTasks: {
    method: 'GET',
    path: '/api/tasks',
    aliases: ['/tasks'],
    tag: 'tasks',
    role: 'viewer',
    summary: 'List tasks, newest first',
    description:
      '`status`, `queue`, `task_type` and `priority` may name several, with commas; `payload=path:value` may be repeated. Queue, type, tag, owner, a single status and errors of failed tasks are served from indexes. What is left of a filter looks at a bounded number of records (`scanned`), and the cursor goes on from there. Newest first by creation; a single status by when it was entered; several, where they are few among very many tasks, one status after the other.',
    query: TaskQuery,
    replies: { 200: { description: 'A page', body: TaskPage } },
    errors: [],
  },
  statsOverview: {
    method: 'GET',
    path: '/api/tasks/stats/overview',
    tag: 'monitoring',
    role: 'viewer',
    summary: 'Counts by status, workers, throughput and latency',
    replies: { 200: { description: 'The numbers', body: StatsOverview } },
    errors: [],
  },
  suggestTasks: {
    method: 'GET',
    path: '/api/tasks/suggest',
    tag: 'tasks',
    role: 'viewer',
    summary: 'Values that a filter of tasks may take, for completion',
    description: `At most ${LIMITS.suggestions}, the most frequent first. Tags and owners are those of the newest ${LIMITS.suggestSample} tasks; counts come from indexes.`,
    query: z.strictObject({ field: z.enum(SUGGEST_FIELDS), prefix: text(200).default('') }),
    replies: { 200: { description: 'The values', body: z.object({ values: z.array(Suggestion) }) } },
    errors: [],
  },
  getTask: {
    method: 'GET',
    path: '/api/tasks/{id}',
    aliases: ['/tasks/{id}'],
    tag: 'tasks',
    role: 'viewer',
    summary: 'One task',
    params: TaskParams,
    badParams: 'TASK_NOT_FOUND',
    replies: { 200: TASK },
    errors: ['TASK_NOT_FOUND'],
  },
  patchTask: {
    method: 'PATCH',
    path: '/api/tasks/{id}',
    tag: 'tasks',
    role: 'operator',
    summary: 'Change a task that is neither running nor final',
    params: TaskParams,
    badParams: 'TASK_NOT_FOUND',
    body: PatchTask,
    replies: { 200: TASK },
    errors: ['TASK_NOT_FOUND', 'CONFLICT'],
  },
  deleteTask: {
    method: 'DELETE',
    path: '/api/tasks/{id}',
    tag: 'tasks',
    role: 'operator',
    summary: 'Remove a task that is not running',
    params: TaskParams,
    badParams: 'TASK_NOT_FOUND',
    replies: { 204: { description: 'Removed' } },
    errors: ['TASK_NOT_FOUND', 'CONFLICT'],
  },
  taskHistory: {
    method: 'GET',
    path: '/api/tasks/{id}/history',
    tag: 'tasks',
    role: 'viewer',
    summary: 'Every transition, with the error of every attempt',
    params: TaskParams,
    badParams: 'TASK_NOT_FOUND',
    replies: { 200: { description: 'Oldest first', body: z.object({ history: z.array(HistoryEntry) }) } },
    errors: ['TASK_NOT_FOUND'],
  },
  explainTask: {
    method: 'GET',
    path: '/api/tasks/{id}/explain',
    tag: 'tasks',
    role: 'viewer',
    summary: 'Why it is where it is',
    params: TaskParams,
    badParams: 'TASK_NOT_FOUND',
    replies: { 200: { description: 'The reasons', body: Explanation } },
    errors: ['TASK_NOT_FOUND'],
  },
  taskLogs: {
    method: 'GET',
    path: '/api/tasks/{id}/logs',
    tag: 'tasks',
    role: 'viewer',
    summary: 'Lines written by the handler',
    params: TaskParams,
    badParams: 'TASK_NOT_FOUND',
    replies: {
      200: {
        description: `Oldest first; the newest ${LIMITS.logLines} are kept`,
        body: z.object({ logs: z.array(LogLine) }),
      },
    },
    errors: ['TASK_NOT_FOUND'],
  },
  cancelTask: {
    method: 'POST',
    path: '/api/tasks/{id}/cancel',
    tag: 'tasks',
    role: 'operator',
    summary: 'Cancel a task',
    description:
      'One that waits is cancelled at once. One that runs is asked to stop: its AbortSignal fires, then it is cancelled.',
    params: TaskParams,
    badParams: 'TASK_NOT_FOUND',
    replies: {
      200: { description: 'Cancelled', body: Task },
      202: { description: 'It runs, and was asked to stop', body: Task },
    },
    errors: ['TASK_NOT_FOUND', 'CONFLICT'],
  },
  retryTask: {
    method: 'POST',
    path: '/api/tasks/{id}/retry',
    tag: 'tasks',
    role: 'operator',
    summary: 'Requeue a failed or cancelled task now',
    params: TaskParams,
    badParams: 'TASK_NOT_FOUND',
    body: RetryTask,
    bodyOptional: true,
    replies: { 200: TASK },
    errors: ['TASK_NOT_FOUND', 'CONFLICT', 'DUPLICATE_UNIQUE_KEY'],
  },
  listArtifacts: {
    method: 'GET',
    path: '/api/tasks/{id}/artifacts',
    tag: 'tasks',
    role: 'viewer',
    summary: 'Files that the task wrote',
    params: TaskParams,
    badParams: 'TASK_NOT_FOUND',
    replies: { 200: { description: 'By name', body: z.object({ artifacts: z.array(Artifact) }) } },
    errors: ['TASK_NOT_FOUND'],
  },
  getArtifact: {
    method: 'GET',
    path: '/api/tasks/{id}/artifacts/{name}',
    tag: 'tasks',
    role: 'viewer',
    summary: 'Download a file that the task wrote',
    params: TaskParams.extend({ name: z.string().min(1).max(255) }),
    badParams: 'NOT_FOUND',
    replies: { 200: { description: 'The file, as an attachment', media: 'application/octet-stream' } },
    errors: ['NOT_FOUND'],
  },
} as const satisfies Record<string, Route>;
