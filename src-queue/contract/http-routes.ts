/** The route table: all of REST. */
import type { Route } from './http';
import { fleetRoutes, scheduleRoutes } from './http-fleet';
import { dlqRoutes, operationRoutes, queueRoutes } from './http-queues';
import { sessionRoutes } from './http-session';
import { systemRoutes } from './http-system';
import { taskRoutes } from './http-tasks';

export const routes = {
  ...taskRoutes,
  ...queueRoutes,
  ...dlqRoutes,
  ...operationRoutes,
  ...fleetRoutes,
  ...scheduleRoutes,
  ...sessionRoutes,
  ...systemRoutes,
} as const satisfies Record<string, Route>;

export type Routes = typeof routes;
export type RouteName = keyof Routes;

/** Errors that any route may answer with, beside its own. */
export const COMMON_ERRORS = [
  'INVALID',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'TOO_MANY_REQUESTS',
  'INTERNAL',
  'STORE_DAMAGED',
  'REDIS_UNREACHABLE',
  'STORE_LAYOUT',
] as const;
/** Errors of routes that write, beside. */
export const WRITE_ERRORS = ['READ_ONLY'] as const;
/** Errors of routes that take a body, beside. */
export const BODY_ERRORS = ['BAD_JSON', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const;
