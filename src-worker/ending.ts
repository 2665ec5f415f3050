/** Decides how an attempt is settled, from what the handler did and why it was told to stop. Pure. */
import type { ClaimedTask, Settle } from '#queue/engine/ports';
import { backoffDelayMs } from '#queue/kernel/backoff';
import { CancelledError, LeaseLostError, ShutdownError, TimeoutError } from './abort-reasons';
import { failureReport, isError, numberIn } from './error-report';
import { FatalError, RetryLater, Snooze } from './handler';
import { encodeResult } from './json-edges';

/** `silent`: the signal fired, and the grace was over before the handler ended. */
export type HandlerOutcome =
  | { kind: 'returned'; value: unknown }
  | { kind: 'threw'; error: unknown }
  | { kind: 'silent' };

const MAX_DELAY_MS = 30 * 86_400_000;
/** A handler that snoozes for no time would be called in a tight loop. */
const MIN_SNOOZE_MS = 100;

interface Facts {
  task: ClaimedTask;
  outcome: HandlerOutcome;
  /** Why the signal fired; null where it did not. */
  reason: Error | null;
  progress: number;
  /** Evenly in [0, 1). */
  random: number;
}

/** @returns null where nothing may be recorded: the lease is lost */
export function endingOf({ task, outcome, reason, progress, random }: Facts): Settle | null {
  const lease = { id: task.id, token: task.token };
  if (reason instanceof LeaseLostError) return null;
  if (reason instanceof CancelledError) return { ...lease, kind: 'cancelled', reason: reason.message };
  if (reason instanceof TimeoutError) return failed(reason);
  if (outcome.kind === 'returned') {
    try {
      return { ...lease, kind: 'complete', result: encodeResult(outcome.value) };
    } catch (error) {
      return dead(error);
    }
  }
  if (reason instanceof ShutdownError) return { ...lease, kind: 'release' };
  if (outcome.kind === 'silent') return failed(reason);
  return thrown(outcome.error);

  function thrown(error: unknown): Settle {
    if (isError(error, FatalError, 'FatalError')) return dead(error);
    if (isError(error, Snooze, 'Snooze'))
      return { ...lease, kind: 'snooze', delayMs: delayIn(error, MIN_SNOOZE_MS) ?? MIN_SNOOZE_MS };
    if (isError(error, RetryLater, 'RetryLater')) return failed(error, delayIn(error, 0));
    return failed(error);
  }
  function failed(error: unknown, delayMs?: number): Settle {
    if (task.attempt >= task.maxAttempts) return dead(error);
    return {
      ...lease,
      kind: 'fail',
      retryInMs: delayMs ?? backoffDelayMs(task.backoff, task.attempt, random),
      error: failureReport(error, { attempt: task.attempt, progress }),
    };
  }
  function dead(error: unknown): Settle {
    return { ...lease, kind: 'dead', error: failureReport(error, { attempt: task.attempt, progress }) };
  }
}

function delayIn(error: unknown, minMs: number): number | undefined {
  const seconds = numberIn(error, 'seconds');
  return seconds === undefined ? undefined : Math.round(Math.min(Math.max(seconds * 1000, minMs), MAX_DELAY_MS));
}
