/** The task that the inspector shows, with its history, log, files and the reasons why it waits. Folds frames, no I/O. */
import type { Explanation, HistoryEntry, LogLine, Task } from '#queue/contract/task';
import type { TaskFrame } from './task-list-store.svelte';

export interface ArtifactInfo {
  readonly name: string;
  readonly bytes: number;
  readonly modified_at: string;
}

export interface TaskDetail {
  task: Task;
  /** The whole answer, and parts of it, as the server wrote it: numbers have all their digits. */
  text: string;
  payloadText: string;
  resultText: string | null;
  history: HistoryEntry[];
  logs: LogLine[];
  artifacts: readonly ArtifactInfo[];
  /** Null for a final task. */
  explanation: Explanation | null;
}

/** A task that this one waits for; null where it is gone. */
export interface Parent {
  readonly id: string;
  readonly task: Task | null;
}

export class TaskDetailStore {
  /** Null while the inspector is closed. */
  id = $state<string | null>(null);
  detail = $state.raw<TaskDetail | null>(null);
  loading = $state(false);
  error = $state.raw<unknown>(null);
  /** The task was removed while it was shown. */
  removed = $state(false);
  /** Failed tasks with the same cause, this one among them; null while not known. */
  alike = $state<number | null>(null);
  /** Null until they are read. */
  parents = $state.raw<readonly Parent[] | null>(null);

  open(id: string | null): void {
    if (id === this.id) return;
    this.id = id;
    this.detail = null;
    this.error = null;
    this.removed = false;
    this.alike = null;
    this.parents = null;
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
