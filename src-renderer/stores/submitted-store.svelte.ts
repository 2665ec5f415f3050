/** The task that was just submitted, followed to its end. No I/O. */
import { isFinal } from '#queue/contract/lifecycle';
import type { ServerFrame } from '#queue/contract/stream';
import type { Task } from '#queue/contract/task';

export class SubmittedStore {
  task = $state.raw<Task | null>(null);
  /** It was not enqueued: a task with its idempotency key was there before. */
  known = $state(false);

  begin(task: Task, createdAfter: string): void {
    this.task = task;
    this.known = task.idempotency_key !== null && task.created_at < createdAfter;
  }

  replace(task: Task): void {
    const { id, warnings } = this.task ?? {};
    if (id === task.id) this.task = { ...task, ...(warnings === undefined ? {} : { warnings }) };
  }

  clear(): void {
    this.task = null;
  }

  get running(): boolean {
    return this.task !== null && !isFinal(this.task.status);
  }

  /** @returns whether it has changed in a way of which a frame tells too little */
  apply(frame: ServerFrame): boolean {
    const { task } = this;
    if (task === null) return false;
    if (frame.type === 'snapshot') return this.running; // what came in between was missed
    if (frame.type !== 'task' || frame.task.id !== task.id) return false;
    const { status, error, attempts = task.attempts, progress = task.progress } = frame.task;
    const { progress_message = task.progress_message, started_at = task.started_at } = frame.task;
    const { finished_at = task.finished_at, next_run_at = task.next_run_at } = frame.task;
    const known = error === null ? null : task.error;
    this.task = {
      ...task,
      status,
      attempts,
      progress,
      progress_message,
      started_at,
      finished_at,
      next_run_at,
      error: known,
    };
    return frame.event !== 'progress';
  }
}
