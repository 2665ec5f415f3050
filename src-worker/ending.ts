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
  /** What the handler said last. */
  progressMessage?: string | null;
  /** Evenly in [0, 1). */
  random: number;
}

/** @returns null where nothing may be recorded: the lease is lost */
export function endingOf(facts: Facts): Settle | null {
  const { task, outcome, reason } = facts;
  const { id, token } = task;
  if (reason instanceof LeaseLostError) return null;
  if (reason instanceof CancelledError)
    return { id, token, kind: 'cancelled', reason: reason.message, progress: facts.progress, ...said(facts) };
  if (reason instanceof TimeoutError) return failed(facts, reason);
  if (outcome.kind === 'returned') {
    try {
      return { id, token, kind: 'complete', result: encodeResult(outcome.value), ...said(facts) };
    } catch (error) {
      return dead(facts, error);
    }
  }
  if (reason instanceof ShutdownError) return { id, token, kind: 'release' };
  if (outcome.kind === 'silent') return failed(facts, reason);
  return thrown(facts, outcome.error);
}

function thrown(facts: Facts, error: unknown): Settle {
  const { id, token } = facts.task;
  if (isError(error, FatalError, 'FatalError')) return dead(facts, error);
  if (isError(error, Snooze, 'Snooze')) {
    return { id, token, kind: 'snooze', delayMs: delayIn(error, MIN_SNOOZE_MS) ?? MIN_SNOOZE_MS };
  }
  if (isError(error, RetryLater, 'RetryLater')) return failed(facts, error, delayIn(error, 0));
  return failed(facts, error);
}

function failed(facts: Facts, error: unknown, delayMs?: number): Settle {
  const { id, token, attempt, maxAttempts, backoff } = facts.task;
  if (attempt >= maxAttempts) return dead(facts, error);
  const retryInMs = delayMs ?? backoffDelayMs(backoff, attempt, facts.random);
  return { id, token, kind: 'fail', retryInMs, error: report(facts, error) };
}

function dead(facts: Facts, error: unknown): Settle {
  const { id, token } = facts.task;
  return { id, token, kind: 'dead', error: report(facts, error) };
}

/** Nothing at all where the handler said nothing, as most do. */
const said = ({ progressMessage }: Facts) => (progressMessage ? { progressMessage } : {});
const report = (facts: Facts, error: unknown) =>
  failureReport(error, { attempt: facts.task.attempt, progress: facts.progress, ...said(facts) });

function delayIn(error: unknown, minMs: number): number | undefined {
  const seconds = numberIn(error, 'seconds');
  return seconds === undefined ? undefined : Math.round(Math.min(Math.max(seconds * 1000, minMs), MAX_DELAY_MS));
}
