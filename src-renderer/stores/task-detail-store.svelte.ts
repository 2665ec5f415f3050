/** The task that the inspector shows, with its history, log and the reasons why it waits. Folds frames, no I/O. */
import type { Explanation, HistoryEntry, LogLine, Task } from '#queue/contract/task';
import type { TaskFrame } from './task-list-store.svelte';

export interface TaskDetail {
  task: Task;
  history: HistoryEntry[];
  logs: LogLine[];
  /** Null for a final task. */
  explanation: Explanation | null;
}

export class TaskDetailStore {
  /** Null while the inspector is closed. */
  id = $state<string | null>(null);
  detail = $state.raw<TaskDetail | null>(null);
  loading = $state(false);
  error = $state.raw<unknown>(null);
  /** The task was removed while it was shown. */
  removed = $state(false);

  open(id: string | null): void {
    if (id === this.id) return;
    this.id = id;
    this.detail = null;
    this.error = null;
    this.removed = false;
  }

  begin(): void {
    this.loading = true;
  }

  replace(detail: TaskDetail): void {
    this.detail = detail;
    this.loading = false;
    this.error = null;
  }

  fail(error: unknown): void {
    this.loading = false;
    this.error = error;
  }

  /** @returns whether more has changed than a frame tells: the rest has to be read */
  apply(frames: readonly TaskFrame[]): boolean {
    const mine = frames.filter((frame) => frame.task.id === this.id);
    for (const { event, task } of mine) {
      if (event === 'removed') this.removed = true;
      if (this.detail === null) continue;
      const old = this.detail.task;
      const progress = task.progress ?? old.progress;
      const progress_message = task.progress_message === undefined ? old.progress_message : task.progress_message;
      this.detail = { ...this.detail, task: { ...old, status: task.status, progress, progress_message } };
    }
    return mine.length > 0 && !this.removed;
  }
}
