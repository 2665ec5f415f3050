/**
 * What a handler is and what it is given. User code sees this through the module `millrace`
 * (src-worker/millrace.ts); the built-in task types are written against the same shapes.
 */
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { TaskStatus } from '#queue/contract/lifecycle';
import type { StatusCounts } from '#queue/contract/queue';
import type { LogLevel, SubmitTaskInput } from '#queue/contract/task';

/** The task fails for good: to the dead-letter queue, whatever retries are left. */
export class FatalError extends Error {
  override readonly name: string = 'FatalError';
}

/** The attempt failed; try again after `seconds` instead of the back-off. Counts as a retry. */
export class RetryLater extends Error {
  override readonly name: string = 'RetryLater';
  readonly seconds: number;
  constructor(seconds: number, message = `asked to be retried in ${seconds} s`, options?: ErrorOptions) {
    super(message, options);
    this.seconds = seconds;
  }
}

/** Not a failure: go on after `seconds`; the attempt is not counted. For work that waits for something. */
export class Snooze extends Error {
  override readonly name: string = 'Snooze';
  readonly seconds: number;
  constructor(seconds: number) {
    super(`goes on in ${seconds} s`);
    this.seconds = seconds;
  }
}

export interface HandlerLog extends Record<LogLevel, (message: string, fields?: Record<string, unknown>) => void> {}

export interface Artifact {
  name: string;
  /** Absolute path on the worker's machine. */
  path: string;
  bytes: number;
  media_type: string;
}

/** Files that belong to the task; they can be downloaded at `/api/tasks/<id>/artifacts/<name>`. */
export interface Artifacts {
  /** The task's own folder; made at the first write. */
  readonly folder: string;
  write(name: string, data: string | Uint8Array | Readable, mediaType?: string): Promise<Artifact>;
}

export interface ChildState {
  id: string;
  status: TaskStatus;
  /** Parsed result of a completed task. */
  result: unknown;
  error: { name: string; message: string } | null;
}

/** The queue, as a handler may use it. */
export interface TaskAccess {
  /** Submits tasks; with idempotency keys a repeated execution gets the same ids. @throws FatalError where one is invalid */
  submit(tasks: readonly SubmitTaskInput[]): Promise<string[]>;
  /** In the order of `ids`; null for those that are gone. */
  states(ids: readonly string[]): Promise<(ChildState | null)[]>;
  cancel(ids: readonly string[], reason: string): Promise<void>;
  /** Counts by status, for all queues and each. */
  statistics(): Promise<{ total: StatusCounts; queues: Record<string, StatusCounts> }>;
}

export interface RunningTask {
  readonly id: string;
  readonly type: string;
  readonly name: string | null;
  readonly queue: string;
  readonly priority: number;
  /** This execution, from 1. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly createdAt: Date;
  readonly tags: readonly string[];
  readonly owner: string | null;
  /** Seconds that this execution may take. */
  readonly timeout: number;
}

export interface HandlerContext<Payload> {
  readonly payload: Payload;
  readonly task: RunningTask;
  /** 0 to 100; never goes back within an attempt. Cheap to call often: only the newest value is sent, a few times a second. */
  progress(percent: number, message?: string): Promise<void>;
  readonly log: HandlerLog;
  /** Fires on cancel, time-out, a lost lease and shutdown; its reason is an Error that says which. */
  readonly signal: AbortSignal;
  readonly artifacts: Artifacts;
  readonly tasks: TaskAccess;
}

export interface HandlerDefinition<Schema extends z.ZodType = z.ZodType> {
  readonly type: string;
  /** Other task types that this handler serves. */
  readonly aliases?: readonly string[];
  readonly description?: string;
  /** A payload that does not fit fails without a retry. */
  readonly payload?: Schema;
  /** Seconds; the task's own time-out wins where it is shorter. */
  readonly timeout?: number;
  run(context: HandlerContext<z.output<Schema>>): unknown;
}

/** Runs a program: payload as JSON on stdin, progress and logs as JSON lines on stderr, the result as JSON on stdout. */
export interface ExecHandlerDefinition {
  readonly type: string;
  readonly aliases?: readonly string[];
  readonly description?: string;
  readonly payload?: z.ZodType;
  readonly timeout?: number;
  /** The program and its arguments; no shell. Relative paths start at the handler's folder. */
  readonly exec: readonly [string, ...string[]];
  /** Environment variables that the program gets besides PATH, HOME, LANG and TMPDIR. */
  readonly env?: Readonly<Record<string, string>>;
}

export type AnyHandler = HandlerDefinition | ExecHandlerDefinition;

/** Keeps handlers inside the folders that they may use. */
export interface FileAccess {
  /** @returns the real path. @throws FatalError for a path outside the allowed folders, `..` and links out of them included */
  forReading(path: string): Promise<string>;
  /** The same for a file that may not be there yet; makes its folder. */
  forWriting(path: string): Promise<string>;
}

export interface GuardedRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  signal: AbortSignal;
  /** Of the answer's body; more is an error. */
  maxBytes?: number;
}

export interface GuardedResponse {
  status: number;
  headers: Record<string, string>;
  /** Streamed; errors when it grows past `maxBytes`. */
  body: Readable;
  /** After redirects. */
  url: string;
}

/** HTTP to addresses that the operator allows: see src-worker/url-guard.ts. */
export type GuardedFetch = (url: string, request: GuardedRequest) => Promise<GuardedResponse>;

/** What the built-in task types need to know of their surroundings. */
export interface BuiltInConfig {
  smtpUrl: string | null;
  /** Sender of mails that name none. */
  mailFrom: string;
  /** Where mails go as `.eml` files when there is no SMTP server. */
  outboxDir: string;
  files: FileAccess;
  fetch: GuardedFetch;
  /**
   * An OpenAI-compatible endpoint, or null: then summaries are extractive. Its own `fetch` reaches the endpoint's host
   * also where that is private, such as a model on this machine; tasks' own URLs do not.
   */
  ai: { url: string; key: string | null; model: string; fetch: GuardedFetch } | null;
}
