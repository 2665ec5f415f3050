/** A task as a row of the list shows it: made from a full task, or from the summary that a frame carries. */
import type { TaskStatus } from '#queue/contract/lifecycle';
import type { TaskSummary } from '#queue/contract/stream';
import type { Task, TaskFilter } from '#queue/contract/task';
import { timeOfTaskId } from '../format';

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
  next_run_at: string | null;
  worker_id: string | null;
  error: string | null;
  /** It no longer belongs to the list that shows it, or is removed: it stays, dimmed, until the list is read again. */
  left: boolean;
  /** Made or changed by a summary, which has no name and of an error only its kind: the rest has to be read. */
  partial: boolean;
}

/** What the list is narrowed to; empty text means any. */
export interface ListFilter {
  status: TaskStatus | '';
  queue: string;
  type: string;
  /** Id, name or text in the payload. */
  text: string;
}

export const NO_FILTER: ListFilter = { status: '', queue: '', type: '', text: '' };

export const isFiltered = (filter: ListFilter): boolean => Object.values(filter).some((value) => value !== '');

export const sameFilter = (a: ListFilter, b: ListFilter): boolean =>
  a.status === b.status && a.queue === b.queue && a.type === b.type && a.text === b.text;

export function toQuery(filter: ListFilter): TaskFilter {
  return {
    ...(filter.status === '' ? {} : { status: filter.status }),
    ...(filter.queue === '' ? {} : { queue: filter.queue }),
    ...(filter.type === '' ? {} : { task_type: filter.type }),
    ...(filter.text === '' ? {} : { q: filter.text }),
  };
}

/** Whether a change belongs into the list. A search for text is the server's to answer: nothing joins it from frames. */
export const mayJoin = (filter: ListFilter, task: TaskSummary): boolean => filter.text === '' && staysIn(filter, task);

export const staysIn = (filter: ListFilter, task: Pick<TaskSummary, 'status' | 'queue' | 'task_type'>): boolean =>
  (filter.status === '' || filter.status === task.status) &&
  (filter.queue === '' || filter.queue === task.queue) &&
  (filter.type === '' || filter.type === task.task_type);

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
  next_run_at: task.next_run_at,
  worker_id: task.worker_id,
  error: task.error === null ? null : `${task.error.name}: ${task.error.message}`,
  left: false,
  partial: false,
});

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
      next_run_at: null,
      worker_id: null,
      error: null,
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
  next_run_at: task.next_run_at === undefined ? row.next_run_at : task.next_run_at,
  worker_id: task.worker_id === undefined ? row.worker_id : task.worker_id,
  error: task.error === undefined ? row.error : (task.error?.name ?? null),
  partial: row.partial || (task.error !== undefined && task.error !== null),
});

/** What a summary does not have, from a full task; what may have changed since it was read stays. */
export const completeRow = (row: TaskRow, task: Task): TaskRow => ({
  ...row,
  name: task.name,
  priority: row.priority ?? task.priority,
  max_retries: row.max_retries ?? task.max_retries,
  created_at: task.created_at,
  error: row.attempts === task.attempts && row.error !== null ? rowOfTask(task).error : row.error,
  partial: false,
});
