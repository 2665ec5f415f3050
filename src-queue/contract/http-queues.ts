/** Routes of queues, of the dead-letter queue, and of operations on many tasks. */
import { z } from 'zod';
import { FailureGroup, FailureGroupDetail } from './failure';
import type { Route } from './http';
import { NamedParams, QueueParams } from './http-fields';
import { TaskQuery } from './http-tasks';
import { LIMITS } from './limits';
import { DlqPurge, DlqRequeue, DryRun, Operation, StartOperation } from './operation';
import { Count } from './primitives';
import { PurgeQueue, Queue, QueueTypes, SetQueueLimits } from './queue';
import { TaskPage } from './task';

const QUEUE = { description: 'The queue', body: Queue };
const OPERATION = { description: 'The operation', body: Operation };
const PLANNED = { description: 'With `dry_run`: what would be done', body: DryRun };
const STARTED = {
  description: 'An operation carries it out on the server, and outlives client and restart',
  body: Operation,
};

const SELECTION =
  'Give `ids` or a `filter`. `dry_run` answers what would be done and changes nothing; `expected_count` refuses with 409 where the selection differs by more than 10 %. `canary` is answered with 501 in this version.';

/** In the dead-letter queue every task is `failed`. */
const DlqQuery = TaskQuery.extend({ status: z.literal('failed', 'can only be failed here').optional() });

export const queueRoutes = {
  listQueues: {
    method: 'GET',
    path: '/api/queues',
    tag: 'queues',
    role: 'viewer',
    summary: 'All queues',
    replies: { 200: { description: 'By name', body: z.object({ queues: z.array(Queue) }) } },
    errors: [],
  },
  getQueue: {
    method: 'GET',
    path: '/api/queues/{queue}',
    tag: 'queues',
    role: 'viewer',
    summary: 'One queue',
    params: QueueParams,
    badParams: 'QUEUE_NOT_FOUND',
    replies: { 200: QUEUE },
    errors: ['QUEUE_NOT_FOUND'],
  },
  queueTypes: {
    method: 'GET',
    path: '/api/queues/{queue}/types',
    tag: 'queues',
    role: 'viewer',
    summary: 'Task types of one queue: pending, running, rates, run times and failures',
    description: `Types of which something waits, runs, or was seen in the last hour. Of pending tasks at most ${LIMITS.typeSample} are looked at, spread over all of them; rates are those that this server has seen since \`since\`.`,
    params: QueueParams,
    badParams: 'QUEUE_NOT_FOUND',
    replies: { 200: { description: 'Most pending first', body: QueueTypes } },
    errors: ['QUEUE_NOT_FOUND'],
  },
  pauseQueue: {
    method: 'POST',
    path: '/api/queues/{queue}/pause',
    tag: 'queues',
    role: 'operator',
    summary: 'Start no more tasks of this queue',
    description: 'Running tasks go on. A queue can be paused before its first task.',
    params: QueueParams,
    replies: { 200: QUEUE },
    errors: [],
  },
  resumeQueue: {
    method: 'POST',
    path: '/api/queues/{queue}/resume',
    tag: 'queues',
    role: 'operator',
    summary: 'Start tasks of this queue again',
    params: QueueParams,
    replies: { 200: QUEUE },
    errors: [],
  },
  purgeQueue: {
    method: 'POST',
    path: '/api/queues/{queue}/purge',
    tag: 'queues',
    role: 'admin',
    summary: 'Remove all pending and scheduled tasks of this queue',
    description: 'This cannot be taken back: `confirm` must be the name of the queue.',
    params: QueueParams,
    badParams: 'QUEUE_NOT_FOUND',
    body: PurgeQueue,
    replies: { 200: { description: 'How many were removed', body: z.object({ queue: z.string(), removed: Count }) } },
    errors: ['QUEUE_NOT_FOUND'],
  },
  setQueueLimits: {
    method: 'PUT',
    path: '/api/queues/{queue}/limits',
    tag: 'queues',
    role: 'admin',
    summary: 'Limit a queue, over all workers',
    description:
      'A field that is absent stays as it is; null removes the limit. With `shards`, limits on concurrency and rate are divided among them: they must be as large as their number at least.',
    params: QueueParams,
    body: SetQueueLimits,
    replies: { 200: QUEUE },
    errors: ['CONFLICT'],
  },
} as const satisfies Record<string, Route>;

export const dlqRoutes = {
  listDlq: {
    method: 'GET',
    path: '/api/dlq',
    tag: 'dead letters',
    role: 'viewer',
    summary: 'Failed tasks, newest first',
    query: DlqQuery,
    replies: { 200: { description: 'A page', body: TaskPage } },
    errors: [],
  },
  listDlqGroups: {
    method: 'GET',
    path: '/api/dlq/groups',
    tag: 'dead letters',
    role: 'viewer',
    summary: 'Failures grouped by the fingerprint of their error',
    replies: { 200: { description: 'Largest first', body: z.object({ groups: z.array(FailureGroup) }) } },
    errors: [],
  },
  getDlqGroup: {
    method: 'GET',
    path: '/api/dlq/groups/{fingerprint}',
    tag: 'dead letters',
    role: 'viewer',
    summary: 'One failure group: when, where, and what its tasks have in common',
    description: 'Made of the newest tasks of the group, within bounds that the answer names.',
    params: z.strictObject({ fingerprint: z.string().regex(/^[0-9A-Za-z_-]{1,64}$/) }),
    badParams: 'NOT_FOUND',
    replies: { 200: { description: 'The group', body: FailureGroupDetail } },
    errors: ['NOT_FOUND'],
  },
  requeueDlq: {
    method: 'POST',
    path: '/api/dlq/requeue',
    tag: 'dead letters',
    role: 'operator',
    summary: 'Requeue failed tasks',
    description: SELECTION,
    body: DlqRequeue,
    selection: true,
    replies: { 200: PLANNED, 202: STARTED },
    errors: ['COUNT_CHANGED', 'NOT_IMPLEMENTED'],
  },
  purgeDlq: {
    method: 'POST',
    path: '/api/dlq/purge',
    tag: 'dead letters',
    role: 'admin',
    summary: 'Remove failed tasks for good',
    description: SELECTION,
    body: DlqPurge,
    selection: true,
    replies: { 200: PLANNED, 202: STARTED },
    errors: ['COUNT_CHANGED', 'NOT_IMPLEMENTED'],
  },
} as const satisfies Record<string, Route>;

const steer = (verb: 'pause' | 'resume' | 'abort', summary: string) =>
  ({
    method: 'POST',
    path: `/api/operations/{id}/${verb}`,
    tag: 'operations',
    role: 'operator',
    summary,
    params: NamedParams,
    badParams: 'OPERATION_NOT_FOUND',
    replies: { 200: OPERATION },
    errors: ['OPERATION_NOT_FOUND', 'CONFLICT'],
  }) as const;

export const operationRoutes = {
  startOperation: {
    method: 'POST',
    path: '/api/operations',
    tag: 'operations',
    role: 'operator',
    summary: 'Requeue, cancel, delete or reprioritise many tasks',
    description: `${SELECTION} To delete needs the role \`admin\`.`,
    body: StartOperation,
    selection: true,
    replies: { 200: PLANNED, 202: STARTED },
    errors: ['COUNT_CHANGED', 'NOT_IMPLEMENTED'],
  },
  listOperations: {
    method: 'GET',
    path: '/api/operations',
    tag: 'operations',
    role: 'viewer',
    summary: 'Operations, newest first',
    replies: { 200: { description: 'The operations', body: z.object({ operations: z.array(Operation) }) } },
    errors: [],
  },
  getOperation: {
    method: 'GET',
    path: '/api/operations/{id}',
    tag: 'operations',
    role: 'viewer',
    summary: 'One operation',
    params: NamedParams,
    badParams: 'OPERATION_NOT_FOUND',
    replies: { 200: OPERATION },
    errors: ['OPERATION_NOT_FOUND'],
  },
  pauseOperation: steer('pause', 'Hold an operation'),
  resumeOperation: steer('resume', 'Go on with an operation'),
  abortOperation: steer('abort', 'End an operation; what it has done stays done'),
} as const satisfies Record<string, Route>;
