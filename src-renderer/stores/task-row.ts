/** A task as a row of the list shows it: made from a full task, or from the summary that a frame carries. */
import type { TaskStatus } from '#queue/contract/lifecycle';
import type { JsonValue } from '#queue/contract/primitives';
import type { TaskSummary } from '#queue/contract/stream';
import type { Task } from '#queue/contract/task';
import { timeOfTaskId } from '../format';

/** A field of a payload, short. */
export interface PreviewPart {
  key: string;
  value: string;
}

export interface TaskRow {
  id: string;
  task_type: string;
  queue: string;
  status: TaskStatus;
  /** Null where only a summary without it has been seen. */
  priority: number | null;
  name: string | null;
  attempts: number;
  max_retries: number | null;
  progress: number;
  progress_message: string | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  /** When the last execution ended; null while it runs or where it is not known. */
  ended_at: string | null;
  next_run_at: string | null;
  worker_id: string | null;
  error: string | null;
  /** The first plain fields of the payload; null where they are not known. */
  preview: readonly PreviewPart[] | null;
  /** How often a frame has changed it since it was read, and when the last time was, Unix ms: it flashes then. */
  changes: number;
  changedAt: number;
  /** It no longer belongs to the list that shows it, or is removed: it stays, dimmed, until the list is read again. */
  left: boolean;
  /** Made or changed by a summary, which has no name and of an error only its kind: the rest has to be read. */
  partial: boolean;
}

export const rowOfTask = (task: Task): TaskRow => ({
  id: task.id,
  task_type: task.task_type,
  queue: task.queue,
  status: task.status,
  priority: task.priority,
  name: task.name,
  attempts: task.attempts,
  max_retries: task.max_retries,
  progress: task.progress,
  progress_message: task.progress_message,
  created_at: task.created_at,
  started_at: task.started_at,
  finished_at: task.finished_at,
  ended_at: task.attempt_ended_at ?? task.finished_at,
  next_run_at: task.next_run_at,
  worker_id: task.worker_id,
  error: task.error === null ? null : `${task.error.name}: ${task.error.message}`,
  preview: previewOf(task.payload),
  changes: 0,
  changedAt: 0,
  left: false,
  partial: false,
});

const PREVIEW_FIELDS = 6;
const PREVIEW_CHARS = 60;

function previewOf(payload: Readonly<Record<string, JsonValue>> | null): PreviewPart[] | null {
  if (payload === null) return null;
  return Object.entries(payload)
    .slice(0, PREVIEW_FIELDS)
    .map(([key, value]) => ({ key, value: shortValue(value).slice(0, PREVIEW_CHARS) }));
}

function shortValue(value: JsonValue): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return `[${value.length}]`;
  if (typeof value === 'object' && value !== null) return `{${Object.keys(value).length}}`;
  return String(value);
}

export const rowOfSummary = (task: TaskSummary): TaskRow =>
  mergeSummary(
    {
      id: task.id,
      task_type: task.task_type,
      queue: task.queue,
      status: task.status,
      priority: null,
      name: null,
      attempts: 0,
      max_retries: null,
      progress: 0,
      progress_message: null,
      created_at: timeOfTaskId(task.id),
      started_at: null,
      finished_at: null,
      ended_at: null,
      next_run_at: null,
      worker_id: null,
      error: null,
      preview: null,
      changes: 0,
      changedAt: 0,
      left: false,
      partial: true,
    },
    task,
  );

/** What a summary leaves out stays as it was. */
export const mergeSummary = (row: TaskRow, task: TaskSummary): TaskRow => ({
  ...row,
  status: task.status,
  priority: task.priority ?? row.priority,
  attempts: task.attempts ?? row.attempts,
  max_retries: task.max_retries ?? row.max_retries,
  progress: task.progress ?? (task.status === 'completed' ? 100 : row.progress),
  progress_message: task.progress_message === undefined ? row.progress_message : task.progress_message,
  started_at: task.started_at === undefined ? row.started_at : task.started_at,
  finished_at: task.finished_at === undefined ? row.finished_at : task.finished_at,
  ended_at: task.status === 'processing' ? null : (task.finished_at ?? row.ended_at),
  next_run_at: task.next_run_at === undefined ? row.next_run_at : task.next_run_at,
  worker_id: task.worker_id === undefined ? row.worker_id : task.worker_id,
  error: task.error === undefined ? row.error : (task.error?.name ?? null),
  partial: row.partial || (task.error !== undefined && task.error !== null),
});

/** What a summary does not have, from a full task; what may have changed since it was read stays. */
export const completeRow = (row: TaskRow, task: Task): TaskRow => ({
  ...row,
  name: task.name,
  preview: previewOf(task.payload),
  priority: row.priority ?? task.priority,
  max_retries: row.max_retries ?? task.max_retries,
  created_at: task.created_at,
  error: row.attempts === task.attempts && row.error !== null ? rowOfTask(task).error : row.error,
  partial: false,
});
