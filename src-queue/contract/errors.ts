/** The one catalogue of expected failures: callers branch on the code; status, title and retry advice are data. */
export const ERRORS = {
  BAD_JSON: { status: 400, title: 'The body is not JSON', retryable: false },
  BAD_REQUEST: { status: 400, title: 'The request cannot be understood', retryable: false },
  UNAUTHENTICATED: { status: 401, title: 'A token is required', retryable: false },
  FORBIDDEN: { status: 403, title: 'Not allowed', retryable: false },
  READ_ONLY: { status: 403, title: 'This connection is read-only', retryable: false },
  FOREIGN_ORIGIN: { status: 403, title: 'The request comes from a foreign web page', retryable: false },
  NOT_FOUND: { status: 404, title: 'Not found', retryable: false },
  TASK_NOT_FOUND: { status: 404, title: 'No such task', retryable: false },
  QUEUE_NOT_FOUND: { status: 404, title: 'No such queue', retryable: false },
  WORKER_NOT_FOUND: { status: 404, title: 'No such worker', retryable: false },
  POOL_NOT_FOUND: { status: 404, title: 'No such pool', retryable: false },
  OPERATION_NOT_FOUND: { status: 404, title: 'No such operation', retryable: false },
  METHOD_NOT_ALLOWED: { status: 405, title: 'Method not allowed', retryable: false },
  CONFLICT: { status: 409, title: 'The state does not allow this', retryable: false },
  IDEMPOTENCY_CONFLICT: { status: 409, title: 'The idempotency key was used with another body', retryable: false },
  DUPLICATE_UNIQUE_KEY: { status: 409, title: 'A live task holds this unique key', retryable: false },
  LEASE_LOST: { status: 409, title: 'The lease was lost', retryable: false },
  COUNT_CHANGED: { status: 409, title: 'The selection has changed', retryable: false },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large', retryable: false },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'Unsupported content type', retryable: false },
  FOREIGN_HOST: { status: 421, title: 'This host name is not served here', retryable: false },
  INVALID: { status: 422, title: 'The request is not valid', retryable: false },
  TOO_MANY_REQUESTS: { status: 429, title: 'Too many requests', retryable: true },
  QUEUE_FULL: { status: 429, title: 'The queue is full', retryable: true },
  INTERNAL: { status: 500, title: 'Internal error', retryable: true },
  STORE_DAMAGED: { status: 500, title: 'The data in Redis are damaged', retryable: false },
  NOT_IMPLEMENTED: { status: 501, title: 'Not in this version', retryable: false },
  REDIS_UNREACHABLE: { status: 503, title: 'Redis is unreachable', retryable: true },
  REDIS_FULL: { status: 503, title: 'Redis is out of memory', retryable: true },
  NOT_DURABLE: { status: 503, title: 'Not as durable as asked', retryable: true },
  STORE_LAYOUT: { status: 503, title: 'The store is in a layout of another version', retryable: false },
  STORAGE: { status: 503, title: 'Redis cannot write to its disk', retryable: true },
} as const satisfies Record<string, { status: number; title: string; retryable: boolean }>;

export type ErrorCode = keyof typeof ERRORS;

/** One thing that is wrong with a request; `path` is the field, dotted, as the caller wrote it. */
export interface FieldError {
  path: string;
  message: string;
}

/** An expected failure. `code` narrows; `fields` belongs to INVALID; `extra` goes into the problem document. */
export class QueueError extends Error {
  override readonly name = 'QueueError';
  readonly code: ErrorCode;
  readonly fields: readonly FieldError[];
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { fields?: readonly FieldError[]; extra?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.fields = options.fields ?? [];
    this.extra = options.extra ?? {};
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}
