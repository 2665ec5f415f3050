/** Failures as problem documents (RFC 9457), made at one place. What was not expected is logged here, once, and not told. */
import { z } from 'zod';
import { ERRORS, type FieldError, QueueError } from '#queue/contract/errors';
import type { Problem } from '#queue/contract/http';
import type { Log } from '#queue/kernel/log';

export const PROBLEM_TYPE = 'application/problem+json';
/** Fields named in one document. */
const MAX_FIELDS = 50;

/** What a caller should wait before trying again, seconds, where the failure itself does not say. */
const RETRY_AFTER = {
  QUEUE_FULL: 5,
  REDIS_UNREACHABLE: 1,
  REDIS_FULL: 10,
  STORAGE: 10,
  NOT_DURABLE: 1,
  TOO_MANY_REQUESTS: 1,
} as const;

export function toProblem(error: QueueError): Problem & Record<string, unknown> {
  const { status, title } = ERRORS[error.code];
  return {
    ...error.extra,
    type: `urn:millrace:problem:${error.code.toLowerCase()}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    ...(error.fields.length > 0 && { errors: error.fields.slice(0, MAX_FIELDS) }),
  };
}

/** Anything thrown, as an expected failure: unknown ones are logged and become INTERNAL. */
export function toQueueError(error: unknown, log: Log): QueueError {
  if (error instanceof QueueError) return error;
  if (error instanceof z.ZodError) return invalid(fieldErrors(error));
  log.error('a request failed unexpectedly', { error });
  return new QueueError('INTERNAL', 'the server could not answer; its log says more', { cause: error });
}

export function problemResponse(error: QueueError, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(toProblem(error)), {
    status: error.status,
    headers: problemHeaders(error, headers),
  });
}

/** @param given they come first: a `retry-after` among them is kept */
export function problemHeaders(error: QueueError, given: Record<string, string> = {}): Record<string, string> {
  const all: Record<string, string> = { 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store', ...given };
  if (error.code === 'UNAUTHENTICATED') all['www-authenticate'] = 'Bearer realm="millrace"';
  const retryAfter = error.code in RETRY_AFTER ? RETRY_AFTER[error.code as keyof typeof RETRY_AFTER] : undefined;
  if (retryAfter !== undefined) all['retry-after'] ??= String(retryAfter);
  return all;
}

/** 422 that names its fields, and tells of the first ones in its detail too. */
export function invalid(fields: readonly FieldError[]): QueueError {
  const told = fields.slice(0, 3).map(describeField).join('; ');
  return new QueueError('INVALID', fields.length > 3 ? `${told}; and ${fields.length - 3} more` : told, { fields });
}

export const describeField = ({ path, message }: FieldError): string => (path === '' ? message : `${path}: ${message}`);

/** Dotted paths, as the caller wrote them; every unknown field is named by itself. */
export function fieldErrors(error: z.core.$ZodError, root = ''): FieldError[] {
  return error.issues.flatMap((issue) => {
    const path = [...(root === '' ? [] : [root]), ...issue.path.map(String)];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'is not a known field' }));
    }
    return [{ path: path.join('.'), message: issue.message }];
  });
}
