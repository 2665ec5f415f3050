/**
 * What scripts are asked and what they answer, where the engine passes it on unchanged: the engine's ports export
 * these again. Times are Unix ms on the clock of Redis, durations ms with the unit in the name.
 */
import type { Durability } from '../contract/primitives';
import type { LogLevel } from '../contract/task';

/** A claim's proof that this worker may write. */
export interface LeaseRef {
  id: string;
  token: string;
}

/** How an attempt ended. Bodies are JSON text, within the limits of contract/limits.ts. */
/** What an attempt that ended leaves of its progress, where it is no failure (that is told in its report). */
export interface LastProgress {
  /** How far it had come; absent: not told. */
  progress?: number;
  /** What the handler said last. */
  progressMessage?: string | null;
}

export type Settle =
  | (LeaseRef & LastProgress & { kind: 'complete'; result: string })
  | (LeaseRef & { kind: 'fail'; retryInMs: number; error: FailureReport })
  | (LeaseRef & { kind: 'dead'; error: FailureReport })
  | (LeaseRef & LastProgress & { kind: 'cancelled'; reason: string })
  /** Back to the queue at its old place; the attempt is not counted. */
  | (LeaseRef & { kind: 'release' })
  /** Goes on later; the attempt is not counted. */
  | (LeaseRef & { kind: 'snooze'; delayMs: number });

export interface FailureReport {
  name: string;
  message: string;
  stack: string | null;
  fingerprint: string;
  /** How far the attempt had come. */
  progress: number;
  /** What the handler said last. */
  progressMessage?: string | null;
}

/** accepted; already: this very token ended it before (a repeated call); fenced: another attempt owns it, or it has ended; gone: no such task. */
export type Verdict = 'accepted' | 'already' | 'fenced' | 'gone';

export interface WorkCall {
  queue: string;
  workerId: string;
  /** Of this worker: calls of one lane follow each other; its lanes may be in flight at once. `0` up to `LIMITS.workLanes`. */
  lane: string;
  /** New for every call, the same when a call is repeated because its answer was lost. */
  nonce: string;
  settles: readonly Settle[];
  /** Tasks to claim, 0 to 500. */
  want: number;
  /** How many of them are not for slots that are free: given only where many tasks wait and the queue has no limits. */
  ahead?: number;
  leaseMs: number;
  /** Task types that this worker runs; others are left to other workers. */
  types: readonly string[];
  standby?: StandbyRequest | undefined;
}

/**
 * An idle worker stands by: the next submit to the empty queue hands its task straight to it, claimed, and no call has to
 * ask for it.
 */
export interface StandbyRequest {
  /** Of all tasks that are handed to this process: their tokens end with it. */
  nonce: string;
  /** Where the call claims nothing, for so long; 0: no longer. */
  forMs: number;
  /** It stood by before, or may have, and has heard of no task since: what was handed over is answered. */
  stood: boolean;
}

export interface AttemptReport extends LeaseRef {
  progress: { percent: number; message: string | null } | null;
  logs: readonly { at: number; level: LogLevel; message: string; attempt: number }[];
}

export type CancelOutcome = 'cancelled' | 'asked' | 'final' | 'gone';

export type RequeueOutcome = 'requeued' | 'not_final' | 'duplicate' | 'gone';

export type RemoveOutcome = 'removed' | 'running' | 'gone';

/** Null removes the limit. */
export interface QueueLimitsMs {
  concurrency: number | null;
  rate: { max: number; perMs: number } | null;
  targetAgeMs: number | null;
  /** Waiting that makes up for one priority; set only while nothing is pending. */
  agingMs: number | null;
  /** Of submits that do not name theirs. */
  durability: Durability | null;
  /** Physical queues that new tasks are spread over; their number cannot be removed, only be 1. */
  shards: number;
}
