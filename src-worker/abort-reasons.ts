/**
 * Why a running handler is told to stop: the `reason` of its AbortSignal is one of these. Handlers get them through
 * the module `millrace`; the worker decides by them how the attempt is settled (src-worker/ending.ts).
 */

/** Someone asked to cancel the task. It ends as `cancelled`, whatever the handler does then. */
export class CancelledError extends Error {
  override readonly name: string = 'CancelledError';
  constructor(message = 'the task was cancelled') {
    super(message);
  }
}

/** The execution took longer than its time-out. The attempt counts as failed, and is retried where one is left. */
export class TimeoutError extends Error {
  override readonly name: string = 'TimeoutError';
  constructor(timeoutMs: number) {
    super(`took longer than its time-out of ${timeoutMs / 1000} s`);
  }
}

/** Another worker may own the task by now: nothing that this execution does is recorded any more. */
export class LeaseLostError extends Error {
  override readonly name: string = 'LeaseLostError';
  constructor(message = 'the lease on the task was lost') {
    super(message);
  }
}

/** The worker stops and its time to finish is over. The task goes back to the queue and runs again elsewhere. */
export class ShutdownError extends Error {
  override readonly name: string = 'ShutdownError';
  constructor(message = 'the worker stops') {
    super(message);
  }
}
