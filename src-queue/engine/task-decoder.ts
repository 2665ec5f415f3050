/** From the bytes in Redis to a StoredTask: record, history, active line and progress put together. */
import { z } from 'zod';
import type { TaskEvent, TaskStatus } from '../contract/lifecycle';
import { LIMITS } from '../contract/limits';
import { unescapeText } from '../kernel/escape';
import { logicalQueue } from '../kernel/shard-name';
import type { RawTask } from '../redis/scripts/read';
import {
  decodeActiveLine,
  decodeHistory,
  decodeRecord,
  readResultBody,
  type Segment,
  type SegmentKind,
} from '../redis/task-record';
import type { HistoryItem, StoredError, StoredTask } from './ports';

const STATUS: Record<string, TaskStatus> = {
  r: 'pending',
  s: 'scheduled',
  y: 'retrying',
  b: 'blocked',
  l: 'processing',
  c: 'completed',
  x: 'failed',
  z: 'cancelled',
};

const StoredReport = z.object({
  name: z.string().default('Error'),
  message: z.string().default(''),
  stack: z.string().nullable().default(null),
  fingerprint: z.string().default('--------'),
  progress: z.number().default(0),
  progressMessage: z.string().nullable().default(null),
});
/** Until a failed or sleeping task goes on; older histories do not have it. */
const StoredPause = z.object({ resumesInMs: z.number() });
const StoredReason = z.object({
  reason: z.string(),
  progress: z.number().default(0),
  progressMessage: z.string().nullable().default(null),
});

const EVENT: Record<SegmentKind, TaskEvent> = {
  C: 'completed',
  F: 'retrying',
  D: 'failed',
  X: 'cancelled',
  R: 'released',
  Z: 'snoozed',
  L: 'lease_lost',
  E: 'expired',
  Q: 'requeued',
};
const FAILED_KINDS: readonly SegmentKind[] = ['F', 'D', 'L', 'E'];
const ERRORLESS_KINDS: readonly SegmentKind[] = ['C', 'Q', 'R', 'Z'];
const FINAL_KINDS: readonly SegmentKind[] = ['C', 'D', 'X', 'E'];

function parse(text: string | null): unknown {
  if (text === null || text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return null; // cut off, where only the beginning of a long segment was read
  }
}

function errorOf(segment: Segment): StoredError | null {
  if (ERRORLESS_KINDS.includes(segment.kind)) return null;
  const body = parse(segment.body);
  if (body === null || StoredReason.safeParse(body).success) return null;
  const report = StoredReport.safeParse(body);
  return report.success ? { ...report.data, at: segment.at } : null;
}

/** Of the last segment of a history, of which `text` is the end. */
export function lastErrorOf(text: string): StoredError | null {
  const segment = decodeHistory(text).at(-1);
  return segment ? errorOf(segment) : null;
}

function last<T>(list: readonly T[], matches: (item: T) => boolean): T | undefined {
  for (let i = list.length - 1; i >= 0; i--) {
    const item = list[i];
    if (item !== undefined && matches(item)) return item;
  }
  return undefined;
}

/** @returns null where there is no record, or where it lies in no set */
export function decodeTask(queue: string, raw: RawTask): StoredTask | null {
  const status = STATUS[raw.state];
  if (raw.record === '' || status === undefined) return null;
  const record = decodeRecord(raw.record);
  const segments = decodeHistory(raw.history);
  const active = raw.activeLine === '' ? null : decodeActiveLine(raw.activeLine);
  const isFinal = status === 'completed' || status === 'failed' || status === 'cancelled';
  const ended = last(segments, (segment) => segment.item.startedAt !== null);
  const final = isFinal ? last(segments, (segment) => FINAL_KINDS.includes(segment.kind)) : undefined;
  const failure = last(segments, (segment) => FAILED_KINDS.includes(segment.kind));
  const error = failure ? errorOf(failure) : null;
  const completion = final?.kind === 'C' && final.body !== null ? readResultBody(final.body) : null;
  const [percent, message] = active
    ? splitProgress(raw.progress)
    : lastProgress(final, completion?.said ?? null, error);
  const cut = raw.recordBytes > Buffer.byteLength(raw.record);
  const payloadOmitted = cut || record.payload.length > LIMITS.listFieldChars * 16;
  const resultOmitted = final?.kind === 'C' && final.body === null;
  return {
    id: raw.id,
    queue: logicalQueue(queue),
    type: record.type,
    name: record.name,
    status,
    priority: record.priority,
    payload: payloadOmitted ? null : record.payload,
    result: completion?.result ?? null,
    error,
    attempts: active?.attempt ?? (final?.kind === 'C' ? final.item.attempt : record.attemptsEnded),
    maxRetries: record.maxRetries,
    timeoutMs: record.timeoutMs,
    backoff: record.backoff,
    progress: percent,
    progressMessage: message,
    runAt: record.runAt,
    dueAt: status === 'scheduled' || status === 'retrying' ? raw.score : null,
    expiresAt: record.expiresAt,
    dependsOn: record.dependsOn,
    tags: record.tags,
    owner: record.owner,
    idempotencyKey: record.idempotencyKey,
    uniqueKey: record.uniqueKey,
    createdAt: record.createdAt,
    startedAt: active?.startedAt ?? ended?.item.startedAt ?? null,
    endedAt: active ? null : (ended?.at ?? null),
    finishedAt: final?.at ?? null,
    workerId: active?.workerId ?? ended?.workerId ?? null,
    cancelRequested: active?.cancelRequested ?? false,
    omitted: [...(payloadOmitted ? (['payload'] as const) : []), ...(resultOmitted ? (['result'] as const) : [])],
  };
}

/** How far the attempt that ended last had come, and what its handler said last. */
function lastProgress(
  final: Segment | undefined,
  said: string | null,
  error: StoredError | null,
): [number, string | null] {
  if (final?.kind === 'C') return [100, said];
  const stopped = final?.kind === 'X' ? StoredReason.safeParse(parse(final.body)) : null;
  if (stopped?.success) return [stopped.data.progress, stopped.data.progressMessage];
  return [error?.progress ?? 0, error?.progressMessage ?? null];
}

function splitProgress(text: string): [number, string | null] {
  const bar = text.indexOf('|');
  if (bar === -1) return [0, null];
  const message = unescapeText(text.slice(bar + 1));
  return [Number(text.slice(0, bar)), message === '' ? null : message];
}

/** Every transition that is kept, oldest first: made, each ended attempt, each requeue, and the one that runs. */
export function decodeTransitions(raw: RawTask): HistoryItem[] {
  const { createdAt, runAt, dependsOn } = decodeRecord(raw.record);
  const nothing = { attempt: null, workerId: null, detail: null, error: null, startedAt: null, readyAt: null };
  const items: HistoryItem[] = [{ ...nothing, at: createdAt, event: 'created', nextRunAt: runAt }];
  // When the next attempt may begin; null where that is not known.
  let readyAt = dependsOn.length > 0 ? null : Math.max(createdAt, runAt ?? createdAt);
  const started = (at: number, attempt: number, workerId: string | null) =>
    items.push({
      ...nothing,
      at,
      event: 'started',
      attempt,
      workerId,
      startedAt: at,
      readyAt: readyAt === null ? null : Math.min(readyAt, at),
      nextRunAt: null,
    });
  const segments = decodeHistory(raw.history);
  for (const segment of segments) {
    const { startedAt, attempt } = segment.item;
    const ran = startedAt !== null && segment.kind !== 'Q';
    if (ran) started(startedAt, attempt, segment.workerId);
    const nextRunAt = resumesAt(segment, segment === segments.at(-1) && WAITS.includes(raw.state) ? raw.score : null);
    items.push({
      at: segment.at,
      event: EVENT[segment.kind],
      attempt: ran ? attempt : null,
      workerId: segment.workerId,
      detail: detailOf(segment),
      error: errorOf(segment),
      startedAt: ran ? startedAt : null,
      readyAt: null,
      nextRunAt,
    });
    readyAt = PAUSING_KINDS.includes(segment.kind) ? nextRunAt : segment.at;
  }
  if (raw.activeLine !== '') {
    const active = decodeActiveLine(raw.activeLine);
    started(active.startedAt ?? 0, active.attempt, active.workerId);
  }
  return items;
}

const PAUSING_KINDS: readonly SegmentKind[] = ['F', 'Z'];
/** States of tasks whose score is the moment when they come due. */
const WAITS = ['s', 'y'];

/** `dueAt`: where it still waits, the moment as it is now; somebody may have changed it. */
function resumesAt(segment: Segment, dueAt: number | null): number | null {
  if (!PAUSING_KINDS.includes(segment.kind)) return null;
  const pause = StoredPause.safeParse(parse(segment.body));
  return dueAt ?? (pause.success ? segment.at + pause.data.resumesInMs : null);
}

function detailOf(segment: Segment): string | null {
  if (segment.kind === 'L') return 'the lease ran out; another worker takes over';
  if (segment.kind === 'R') return 'handed back by its worker; costs no attempt';
  const reason = StoredReason.safeParse(parse(segment.body));
  return reason.success ? reason.data.reason : null;
}
