/**
 * What a route is. One table (http-routes.ts) holds all of them: the server checks requests by it, its handlers are a
 * total mapped type over it, clients take their types from it, and the OpenAPI document is printed from it.
 */
import { z } from 'zod';
import type { ErrorCode } from './errors';

/** Each role may also do what the roles before it may. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export const Role = z.enum(ROLES).meta({
  id: 'Role',
  description:
    '`viewer` reads; `operator` also submits, retries, cancels, pauses and drains; `admin` also manages keys, pools, schedules and limits, and purges',
});
export type Role = z.infer<typeof Role>;

/** @returns whether `role` includes what `needed` may do */
export const roleIncludes = (role: Role, needed: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(needed);

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type Method = (typeof METHODS)[number];

/** `body`: JSON of that shape. `media`: anything else, by its content type. Neither: an empty answer. */
export interface ReplySpec {
  readonly description: string;
  readonly body?: z.ZodType;
  readonly media?: string;
}

export interface Route {
  readonly method: Method;
  /** With `{name}` for parameters. Every path is answered with a trailing slash as well. */
  readonly path: string;
  /** Other paths for the same, kept for older clients. */
  readonly aliases?: readonly string[];
  readonly tag:
    | 'tasks'
    | 'dead letters'
    | 'queues'
    | 'operations'
    | 'workers'
    | 'schedules'
    | 'monitoring'
    | 'access'
    | 'system';
  /** Who may call. `anyone` needs no token in any setting. */
  readonly role: Role | 'anyone';
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  /** What a parameter that cannot name anything is answered with; INVALID (422) where it is absent. */
  readonly badParams?: ErrorCode;
  /** Strict: an unknown parameter is refused. */
  readonly query?: z.ZodObject;
  /** Documented request headers; the handler reads them. */
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  /** An absent body is read as `{}`. */
  readonly bodyOptional?: boolean;
  /** The handler reads the body itself, as one of these content types. */
  readonly streams?: readonly string[];
  readonly replies: Readonly<Record<number, ReplySpec>>;
  readonly errors: readonly ErrorCode[];
  /**
   * The body names a selection of tasks: with `dry_run` nothing is written, which a read-only connection allows; without,
   * a guarded one wants `expected_count`.
   */
  readonly selection?: true;
  /** Served by a read-only connection although its method writes. */
  readonly whileReadOnly?: 'allowed';
  /** Documented, and answered with 501 until a later version. */
  readonly planned?: boolean;
}

/** What is not written to be a read counts as a write: a route that is added is covered. */
export const isWrite = (route: Pick<Route, 'method'>): boolean => route.method !== 'GET';

export type ParamsOf<R extends Route> = R extends { params: infer P extends z.ZodType }
  ? z.output<P>
  : Record<never, never>;
export type QueryOf<R extends Route> = R extends { query: infer Q extends z.ZodType }
  ? z.output<Q>
  : Record<never, never>;
export type BodyOf<R extends Route> = R extends { streams: readonly string[] }
  ? undefined
  : R extends { body: infer B extends z.ZodType }
    ? z.output<B>
    : undefined;

/** What a client writes as a body, before defaults are filled in. */
export type BodyInputOf<R extends Route> = R extends { body: infer B extends z.ZodType } ? z.input<B> : undefined;

/** What a client reads from any success of a route; null where a success has no JSON. */
export type SuccessOf<R extends Route> = {
  [S in keyof R['replies']]: R['replies'][S] extends { body: infer B extends z.ZodType } ? z.output<B> : null;
}[keyof R['replies']];

/** The answers of a route: a status with the body that belongs to it, or `Media` where it is not JSON. */
export type ReplyOf<R extends Route, Media> = {
  [S in keyof R['replies']]: R['replies'][S] extends { body: infer B extends z.ZodType }
    ? { status: S; body: z.output<B> }
    : R['replies'][S] extends { media: string }
      ? Media
      : { status: S };
}[keyof R['replies']];

/** RFC 9457. */
export const Problem = z
  .object({
    type: z.string().describe('`urn:millrace:problem:<code>`, the code in lower case'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().describe('The code in upper case, such as TASK_NOT_FOUND'),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('What is wrong, field by field'),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;
