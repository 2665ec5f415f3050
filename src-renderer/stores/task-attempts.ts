/** The executions of a task, told from its history. Pure. */
import type { TaskStatus } from '#queue/contract/lifecycle';
import type { HistoryEntry, TaskError } from '#queue/contract/task';

/** How an execution ended; `running` has not. */
export type AttemptOutcome = 'running' | 'completed' | 'failed' | 'cancelled' | 'given_back';

export interface Attempt {
  readonly number: number;
  readonly startedAt: string;
  /** Null while it runs. */
  readonly endedAt: string | null;
  readonly outcome: AttemptOutcome;
  readonly workerId: string | null;
  readonly error: TaskError | null;
  /** What the history says of its end. */
  readonly detail: string | null;
}

const ENDS: Partial<Record<HistoryEntry['event'], AttemptOutcome>> = {
  completed: 'completed',
  retrying: 'failed',
  failed: 'failed',
  cancelled: 'cancelled',
  released: 'given_back',
  snoozed: 'given_back',
  lease_lost: 'failed',
};

/** Oldest first. */
export function attemptsOf(history: readonly HistoryEntry[]): Attempt[] {
  const attempts: Attempt[] = [];
  for (const entry of history) {
    const last = attempts.at(-1);
    if (entry.event === 'started') {
      attempts.push({
        number: entry.attempt ?? attempts.length + 1,
        startedAt: entry.at,
        endedAt: null,
        outcome: 'running',
        workerId: entry.worker_id,
        error: null,
        detail: null,
      });
      continue;
    }
    const outcome = ENDS[entry.event];
    if (outcome === undefined || last === undefined || last.endedAt !== null) continue;
    attempts[attempts.length - 1] = {
      ...last,
      endedAt: entry.at,
      outcome,
      error: entry.error,
      detail: entry.detail ?? (entry.event === 'lease_lost' ? 'its worker was lost' : null),
    };
  }
  return attempts;
}

export const STATUS_OF_OUTCOME: Readonly<Record<AttemptOutcome, TaskStatus>> = {
  running: 'processing',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
  given_back: 'pending',
};
