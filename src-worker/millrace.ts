/**
 * What a handler file gets from `import … from 'millrace'`. The loader hands this very module to handler files
 * (src-worker/loader.ts), so the classes here are the ones that the worker checks against, wherever the file lies.
 */
import type { z as zod } from 'zod';
import type { ExecHandlerDefinition, HandlerDefinition } from './handler';

// biome-ignore lint/performance/noBarrelFile: this is the one module that user code may import
export { z } from 'zod';
export { CancelledError, LeaseLostError, ShutdownError, TimeoutError } from './abort-reasons';
export type {
  AnyHandler,
  Artifact,
  Artifacts,
  ChildState,
  ExecHandlerDefinition,
  HandlerContext,
  HandlerDefinition,
  HandlerLog,
  RunningTask,
  TaskAccess,
} from './handler';
export { FatalError, RetryLater, Snooze } from './handler';

/**
 * Declares a task type. The payload that `run` gets is what its schema makes of the submitted one; without a schema
 * it is the submitted object, unchecked.
 *
 * `run` returns the task's result: anything that JSON can carry, at most 256 KiB; nothing is null. What it throws is
 * a failed attempt, retried after the task's back-off; see FatalError, RetryLater and Snooze. When `signal` fires it
 * has about a second to end; `progress` then rejects with the signal's reason, so that a loop which reports progress
 * ends by itself.
 */
export function defineHandler<Schema extends zod.ZodType>(
  handler: HandlerDefinition<Schema> & { readonly payload: Schema },
): HandlerDefinition<Schema>;
export function defineHandler(
  handler: Omit<HandlerDefinition<UncheckedPayload>, 'payload'> & { readonly payload?: never },
): HandlerDefinition<UncheckedPayload>;
/** Declares a task type that runs a program: payload on its standard input, result on its standard output, both JSON. */
export function defineHandler(handler: ExecHandlerDefinition): ExecHandlerDefinition;
export function defineHandler(handler: unknown): unknown {
  return handler;
}

/** What a handler without a schema is given. */
export type UncheckedPayload = zod.ZodType<Record<string, unknown>>;
