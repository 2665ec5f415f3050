/** Routes about the process itself: health, metrics, audit, keys and documentation. */
import { z } from 'zod';
import { Role, type Route } from './http';
import { commaList, durationText, NamedParams, pageShape } from './http-fields';
import { LIMITS } from './limits';
import { AuditEntry } from './operation';
import { QueueName, Time, text } from './primitives';
import { Timeseries } from './queue';

export const Health = z
  .object({
    status: z.enum(['ok', 'degraded']),
    redis: z.enum(['up', 'down']),
    version: z.string(),
    uptime: z.number().describe('Seconds since this process began to serve'),
    detail: z
      .string()
      .optional()
      .describe('Where Redis answers and nothing can be done all the same: why, and what helps'),
  })
  .meta({ id: 'Health' });
export type Health = z.infer<typeof Health>;

export const CreateKey = z
  .strictObject({ name: text(LIMITS.ownerLength).min(1).describe('Becomes the owner of what it submits'), role: Role })
  .meta({ id: 'CreateKey' });

export const ApiKey = z
  .object({ id: z.string(), name: z.string(), role: Role, created_at: Time })
  .meta({ id: 'ApiKey', description: 'The key itself is told once, when it is made; only its hash is kept' });
export type ApiKey = z.infer<typeof ApiKey>;
export const NewApiKey = ApiKey.extend({ key: z.string() }).meta({ id: 'NewApiKey' });

const TimeseriesQuery = z.strictObject({
  range: durationText(60, 31 * 86_400).default(3600),
  step: durationText(1, 86_400).optional().describe('Absent: chosen by the range'),
  queue: z
    .preprocess((value) => (value === '' ? undefined : value), QueueName.optional())
    .optional()
    .describe('Absent or empty: all queues'),
  depths: commaList(QueueName).optional().describe('Queues whose depth is told as well, each for itself'),
});

const planned = { tag: 'monitoring', planned: true, replies: {}, errors: ['NOT_IMPLEMENTED'] } as const;

export const systemRoutes = {
  timeseries: {
    method: 'GET',
    path: '/api/metrics/timeseries',
    tag: 'monitoring',
    role: 'viewer',
    summary: 'Throughput, failures, latency and depth over time',
    description: `At most ${LIMITS.timeseriesPoints} points: a range that holds more steps is refused.`,
    query: TimeseriesQuery,
    replies: { 200: { description: 'Oldest first', body: Timeseries } },
    errors: [],
  },
  getAlerts: { ...planned, method: 'GET', path: '/api/alerts', role: 'viewer', summary: 'Alert rules and their state' },
  setAlerts: { ...planned, method: 'PUT', path: '/api/alerts', role: 'admin', summary: 'Set the alert rules' },
  listAudit: {
    method: 'GET',
    path: '/api/audit',
    tag: 'monitoring',
    role: 'viewer',
    summary: 'Who did what, newest first',
    query: z.strictObject(pageShape),
    replies: {
      200: {
        description: 'A page',
        body: z.object({ audit: z.array(AuditEntry), next_cursor: z.string().nullable() }),
      },
    },
    errors: [],
  },
  listKeys: {
    method: 'GET',
    path: '/api/keys',
    tag: 'access',
    role: 'admin',
    summary: 'API keys, without the keys themselves',
    replies: { 200: { description: 'By name', body: z.object({ keys: z.array(ApiKey) }) } },
    errors: [],
  },
  createKey: {
    method: 'POST',
    path: '/api/keys',
    tag: 'access',
    role: 'admin',
    summary: 'Make an API key',
    description: 'The answer is the only time that the key is told.',
    body: CreateKey,
    replies: { 201: { description: 'The key', body: NewApiKey } },
    errors: ['CONFLICT'],
  },
  deleteKey: {
    method: 'DELETE',
    path: '/api/keys/{id}',
    tag: 'access',
    role: 'admin',
    summary: 'Revoke an API key',
    params: NamedParams,
    badParams: 'NOT_FOUND',
    replies: { 204: { description: 'Revoked' } },
    errors: ['NOT_FOUND'],
  },
  health: {
    method: 'GET',
    path: '/health',
    tag: 'system',
    role: 'anyone',
    summary: 'Whether this process and its Redis work',
    replies: {
      200: { description: 'Both work', body: Health },
      503: { description: 'Redis is unreachable, or what lies there has another layout', body: Health },
    },
    errors: [],
  },
  liveness: {
    method: 'GET',
    path: '/healthz',
    tag: 'system',
    role: 'anyone',
    summary: 'Whether this process lives; does not look at Redis',
    replies: { 200: { description: 'It does', body: z.object({ status: z.literal('ok') }) } },
    errors: [],
  },
  readiness: {
    method: 'GET',
    path: '/readyz',
    tag: 'system',
    role: 'anyone',
    summary: 'Whether this process can take requests',
    replies: {
      200: { description: 'It can', body: z.object({ status: z.literal('ready') }) },
      503: { description: 'Redis is unreachable', body: z.object({ status: z.literal('not ready') }) },
    },
    errors: [],
  },
  prometheus: {
    method: 'GET',
    path: '/metrics',
    tag: 'monitoring',
    role: 'viewer',
    summary: 'Metrics for Prometheus',
    replies: { 200: { description: 'Prometheus text', media: 'text/plain' } },
    errors: [],
  },
  openapi: {
    method: 'GET',
    path: '/openapi.json',
    tag: 'system',
    role: 'anyone',
    summary: 'This document',
    replies: { 200: { description: 'OpenAPI 3.1', body: z.record(z.string(), z.unknown()) } },
    errors: [],
  },
  docs: {
    method: 'GET',
    path: '/docs',
    tag: 'system',
    role: 'anyone',
    summary: 'A page to read this document and to try it',
    replies: { 200: { description: 'The page', media: 'text/html' } },
    errors: [],
  },
} as const satisfies Record<string, Route>;
