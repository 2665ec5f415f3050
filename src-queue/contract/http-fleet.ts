/** Routes of workers, worker pools, task types and schedules. */
import { z } from 'zod';
import type { Route } from './http';
import { NamedParams } from './http-fields';
import { CreatePool, PatchPool, Pool, TaskTypeInfo, Worker } from './worker';

const POOL = { description: 'The pool', body: Pool };

const commandWorker = (command: 'quiet' | 'stop', summary: string) =>
  ({
    method: 'POST',
    path: `/api/workers/{id}/${command}`,
    tag: 'workers',
    role: 'operator',
    summary,
    params: NamedParams,
    badParams: 'WORKER_NOT_FOUND',
    replies: { 202: { description: 'It is told at its next heartbeat', body: Worker } },
    errors: ['WORKER_NOT_FOUND'],
  }) as const;

export const fleetRoutes = {
  listWorkers: {
    method: 'GET',
    path: '/api/workers',
    tag: 'workers',
    role: 'viewer',
    summary: 'Live workers',
    replies: { 200: { description: 'The workers', body: z.object({ workers: z.array(Worker) }) } },
    errors: [],
  },
  quietWorker: commandWorker('quiet', 'Let a worker finish what it runs and take nothing new'),
  stopWorker: commandWorker('stop', 'Stop a worker gracefully'),
  restartWorker: {
    method: 'POST',
    path: '/api/workers/{id}/restart',
    tag: 'workers',
    role: 'operator',
    summary: 'Replace a worker process of a pool',
    description:
      'A new process starts while the old one finishes what it runs. Only this server can restart its own workers: one that was started elsewhere is refused with 409.',
    params: NamedParams,
    badParams: 'WORKER_NOT_FOUND',
    replies: { 202: { description: 'Its pool', body: Pool } },
    errors: ['WORKER_NOT_FOUND', 'CONFLICT'],
  },
  listPools: {
    method: 'GET',
    path: '/api/pools',
    tag: 'workers',
    role: 'viewer',
    summary: 'Worker pools that this process runs',
    replies: { 200: { description: 'The pools', body: z.object({ pools: z.array(Pool) }) } },
    errors: [],
  },
  createPool: {
    method: 'POST',
    path: '/api/pools',
    tag: 'workers',
    role: 'admin',
    summary: 'Start a pool of worker processes',
    body: CreatePool,
    replies: { 201: POOL },
    errors: ['CONFLICT'],
  },
  patchPool: {
    method: 'PATCH',
    path: '/api/pools/{id}',
    tag: 'workers',
    role: 'admin',
    summary: 'Change a pool; its processes are replaced where that is needed',
    params: NamedParams,
    badParams: 'POOL_NOT_FOUND',
    body: PatchPool,
    replies: { 200: POOL },
    errors: ['POOL_NOT_FOUND', 'CONFLICT'],
  },
  restartPool: {
    method: 'POST',
    path: '/api/pools/{id}/restart',
    tag: 'workers',
    role: 'operator',
    summary: 'Replace the processes of a pool, one after the other',
    description:
      'Each new process must serve before the next is replaced; where one does not come up, the restart ends and the others stay. `restarting` tells how far it is.',
    params: NamedParams,
    badParams: 'POOL_NOT_FOUND',
    replies: { 202: POOL },
    errors: ['POOL_NOT_FOUND', 'CONFLICT'],
  },
  deletePool: {
    method: 'DELETE',
    path: '/api/pools/{id}',
    tag: 'workers',
    role: 'admin',
    summary: 'Stop a pool gracefully and forget it',
    params: NamedParams,
    badParams: 'POOL_NOT_FOUND',
    replies: { 204: { description: 'Removed' } },
    errors: ['POOL_NOT_FOUND', 'CONFLICT'],
  },
  listTaskTypes: {
    method: 'GET',
    path: '/api/task-types',
    tag: 'workers',
    role: 'viewer',
    summary: 'Known task types, and the live workers that serve each',
    replies: { 200: { description: 'By name', body: z.object({ task_types: z.array(TaskTypeInfo) }) } },
    errors: [],
  },
} as const satisfies Record<string, Route>;

const planned = { tag: 'schedules', planned: true, replies: {}, errors: ['NOT_IMPLEMENTED'] } as const;

export const scheduleRoutes = {
  listSchedules: { ...planned, method: 'GET', path: '/api/schedules', role: 'viewer', summary: 'Schedules' },
  createSchedule: { ...planned, method: 'POST', path: '/api/schedules', role: 'admin', summary: 'Create a schedule' },
  patchSchedule: {
    ...planned,
    method: 'PATCH',
    path: '/api/schedules/{id}',
    params: NamedParams,
    role: 'admin',
    summary: 'Change a schedule',
  },
  deleteSchedule: {
    ...planned,
    method: 'DELETE',
    path: '/api/schedules/{id}',
    params: NamedParams,
    role: 'admin',
    summary: 'Remove a schedule',
  },
  runSchedule: {
    ...planned,
    method: 'POST',
    path: '/api/schedules/{id}/run',
    params: NamedParams,
    role: 'operator',
    summary: 'Submit the task of a schedule now',
  },
} as const satisfies Record<string, Route>;
