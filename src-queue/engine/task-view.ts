/** From the engine to the wire: ms become seconds and ISO times, JSON text becomes values. */
import { LIMITS } from '../contract/limits';
import { isoTime, isoTimeOrNull, type JsonValue } from '../contract/primitives';
import type { HistoryEntry, Task, TaskError } from '../contract/task';
import type { HistoryItem, StoredError, StoredTask } from './ports';

export const toTaskError = (error: StoredError): TaskError => ({
  name: error.name,
  message: error.message,
  stack: error.stack,
  fingerprint: error.fingerprint,
  at: isoTime(error.at),
});

function isObject(value: JsonValue): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `inList` leaves out payloads and results above 16 Ki characters and names them in `omitted`. */
export function toTask(task: StoredTask, options: { inList?: boolean } = {}): Task {
  const most = options.inList ? LIMITS.listFieldChars : Number.POSITIVE_INFINITY;
  const omitted = new Set<'payload' | 'result'>(task.omitted);
  if ((task.payload?.length ?? 0) > most) omitted.add('payload');
  if ((task.result?.length ?? 0) > most) omitted.add('result');
  const payload: JsonValue = task.payload === null || omitted.has('payload') ? null : JSON.parse(task.payload);
  return {
    id: task.id,
    name: task.name,
    task_type: task.type,
    queue: task.queue,
    priority: task.priority,
    payload: isObject(payload) ? payload : null,
    status: task.status,
    progress: task.progress,
    progress_message: task.progressMessage,
    attempts: task.attempts,
    max_retries: task.maxRetries,
    timeout: task.timeoutMs / 1000,
    backoff: {
      type: task.backoff.type,
      base: task.backoff.baseMs / 1000,
      max: task.backoff.maxMs / 1000,
      jitter: task.backoff.jitter,
    },
    run_at: isoTimeOrNull(task.runAt),
    expires_at: isoTimeOrNull(task.expiresAt),
    depends_on: task.dependsOn,
    tags: task.tags,
    owner: task.owner,
    idempotency_key: task.idempotencyKey,
    unique_key: task.uniqueKey,
    created_at: isoTime(task.createdAt),
    started_at: isoTimeOrNull(task.startedAt),
    finished_at: isoTimeOrNull(task.finishedAt),
    attempt_ended_at: isoTimeOrNull(task.endedAt),
    worker_id: task.workerId,
    result: task.result === null || omitted.has('result') ? null : JSON.parse(task.result),
    error: task.error ? toTaskError(task.error) : null,
    next_run_at: isoTimeOrNull(task.dueAt),
    cancel_requested: task.cancelRequested,
    ...(omitted.size > 0 ? { omitted: [...omitted] } : {}),
  };
}

export const toHistoryEntry = (item: HistoryItem): HistoryEntry => ({
  at: isoTime(item.at),
  event: item.event,
  attempt: item.attempt,
  worker_id: item.workerId,
  detail: item.detail,
  error: item.error ? toTaskError(item.error) : null,
  started_at: isoTimeOrNull(item.startedAt),
  ready_at: isoTimeOrNull(item.readyAt),
  next_run_at: isoTimeOrNull(item.nextRunAt),
});
