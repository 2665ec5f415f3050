/**
 * The books of a soak of Millrace, after everything is at rest: what was submitted, what handlers did, and what Redis says
 * of it, each held against the others. Every list is empty where all is well.
 */
import { decodeHistory, decodeRecord, type Segment } from '#queue/redis/task-record';
import type { QueueSnapshot } from '../support/queue-snapshot';
import type { Execution, Executions } from './executions';
import type { End } from './stream-follower';
import type { Submissions } from './submissions';

const STATUS_OF_END: Partial<Record<Segment['kind'], string>> = {
  C: 'completed',
  D: 'failed',
  E: 'failed',
  X: 'cancelled',
};

export interface Books {
  tasks: number;
  completed: number;
  failed: number;
  cancelled: number;
  leasesLost: number;
  /** Of submits whose outcome nobody was told: those that were stored. */
  unknown: number;
  recovered: number;
  /** Handlers that ran to their end more than once: at least once is what is promised. */
  ranTwice: number;
  ends: End[];
  faults: Record<string, string[]>;
}

export function checkBooks(queue: QueueSnapshot, submissions: Submissions, executions: Executions): Books {
  const { completed, failed, cancelled } = queue.sets;
  const isTerminal = (id: string) => completed.has(id) || failed.has(id) || cancelled.has(id);
  const histories = new Map([...queue.records.keys()].map((id) => [id, decodeHistory(queue.histories.get(id) ?? '')]));
  const byTask = executions.byTask();
  const byKey = new Map<string, string[]>();
  for (const [id, record] of queue.records) {
    const key = decodeRecord(record).idempotencyKey ?? '';
    byKey.set(key, [...(byKey.get(key) ?? []), id]);
  }
  const each = (wrong: (id: string, segments: Segment[], runs: Execution[]) => boolean) =>
    [...histories].filter(([id, segments]) => wrong(id, segments, byTask.get(id) ?? [])).map(([id]) => id);
  const unknown = [...submissions.keys].filter(([, ids]) => ids.size === 0).map(([key]) => key);
  return {
    tasks: queue.records.size,
    completed: completed.size,
    failed: failed.size,
    cancelled: cancelled.size,
    leasesLost: [...histories.values()].flat().filter(({ kind }) => kind === 'L').length,
    unknown: unknown.length,
    recovered: unknown.filter((key) => byKey.has(key)).length,
    ranTwice: [...byTask.values()].filter((runs) => runs.filter(({ endedAt }) => endedAt !== null).length > 1).length,
    ends: [...histories].flatMap(([id, segments]) => endsOf(id, segments)),
    faults: {
      lost: [...submissions.ids].filter((id) => !queue.records.has(id)),
      notTerminal: [...queue.records.keys()].filter((id) => !isTerminal(id)),
      unexpected: [...byKey].filter(([key]) => !submissions.keys.has(key)).flatMap(([, ids]) => ids),
      acceptedTwice: [...byKey].filter(([, ids]) => ids.length > 1).map(([key]) => key),
      toldTwice: [...submissions.keys].filter(([, ids]) => ids.size > 1).map(([key]) => key),
      completedTwice: each((_, segments) => segments.filter(({ kind }) => kind === 'C').length > 1),
      overlapping: each((_, segments) => overlaps(segments)),
      overMaximum: each((_, segments) => segments.some(({ item }) => item.attempt > item.maxAttempts)),
      stale: each((_, segments) => segments.some((segment) => isStale(segment, executions))),
      withoutLease: each((_, segments, runs) => runs.some(({ attempt }) => !leased(attempt, segments, runs))),
      neverStored: [...byTask.keys()].filter((id) => !queue.records.has(id)),
    },
  };
}

function endsOf(id: string, segments: readonly Segment[]): End[] {
  return segments.flatMap(({ kind, at }) => {
    const status = STATUS_OF_END[kind];
    return status === undefined ? [] : [{ id, status, at }];
  });
}

/** An execution began before the one before it was over: two leases at the same time. */
function overlaps(segments: readonly Segment[]): boolean {
  const runs = segments.filter(({ item, kind }) => item.startedAt !== null && kind !== 'Q');
  return runs.some(({ item }, n) => n > 0 && (item.startedAt ?? 0) < (runs[n - 1]?.at ?? 0));
}

/** The result is not of the execution that had the lease when it was written. */
function isStale({ kind, item, body, at }: Segment, executions: Executions): boolean {
  if (kind !== 'C') return false;
  const [, name = ''] = /"execution":"([^"]+)"/.exec(body ?? '') ?? [];
  const execution = executions.all.get(name);
  if (execution === undefined || execution.endedAt === null) return true;
  // Redis and the handlers have one clock here.
  return execution.attempt !== item.attempt || execution.beganAt < (item.startedAt ?? 0) || execution.endedAt > at + 1;
}

/** Not more executions of this attempt began than leases were given for it: one that was handed back is given again. */
function leased(attempt: number, segments: readonly Segment[], runs: readonly Execution[]): boolean {
  const given = segments.filter(
    ({ item, kind }) => item.attempt === attempt && item.startedAt !== null && kind !== 'Q',
  );
  return runs.filter((run) => run.attempt === attempt).length <= given.length;
}
