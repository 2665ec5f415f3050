/** What can be done to a task in its state, and why the rest cannot. Pure. */
import { isFinal } from '#queue/contract/lifecycle';
import type { Task } from '#queue/contract/task';

type Known = Pick<Task, 'status' | 'cancel_requested'>;

/** `retry` gives a final task another run, `promote` ends the wait of one whose time has not come. */
export const retryKind = ({ status }: Pick<Task, 'status'>): 'retry' | 'promote' | null => {
  if (status === 'failed' || status === 'cancelled') return 'retry';
  return status === 'retrying' || status === 'scheduled' ? 'promote' : null;
};

export function refusalToRetry(task: Known): string | null {
  if (retryKind(task) !== null) return null;
  if (task.status === 'completed') return 'It has completed. Duplicate it to run it again.';
  if (task.status === 'processing') return 'It runs already.';
  return task.status === 'blocked' ? 'It waits for other tasks.' : 'It is ready already and waits for a worker.';
}

export function refusalToCancel(task: Known): string | null {
  if (isFinal(task.status)) return `It is ${task.status} already.`;
  return task.cancel_requested ? 'It was asked to stop already.' : null;
}

/** A final task is changed by running it again; one that runs cannot be. */
export function refusalToEdit(task: Known): string | null {
  if (task.status === 'processing') return 'It runs. Cancel it, then edit and requeue it.';
  return task.status === 'completed' ? 'It has completed. Duplicate it to run it again.' : null;
}

export const refusalToDelete = (task: Known): string | null =>
  task.status === 'processing' ? 'It runs. Cancel it first.' : null;
