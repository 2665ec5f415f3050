/**
 * The rows of the task list. Changed rows change in place; rows that left the filter stay, dimmed, until the list is
 * read again; new rows join at the top while the reader follows, and else wait to be asked for. Folds frames, no I/O.
 */
import type { ServerFrame } from '#queue/contract/stream';
import type { Task, TaskPage } from '#queue/contract/task';
import {
  completeRow,
  type ListFilter,
  mayJoin,
  mergeSummary,
  NO_FILTER,
  rowOfSummary,
  rowOfTask,
  staysIn,
  type TaskRow,
} from './task-row';

export type TaskFrame = Extract<ServerFrame, { type: 'task' }>;

/** Rows kept; past it the list asks to be read again from its newest page. */
const MAX_ROWS = 2000;

export class TaskListStore {
  filter = $state.raw<ListFilter>(NO_FILTER);
  rows = $state.raw<readonly TaskRow[]>([]);
  /** New rows that are not shown yet, newest last. */
  waiting = $state.raw<readonly TaskRow[]>([]);
  /** As of the last page read. */
  total = $state(0);
  totalExact = $state(true);
  nextCursor = $state<string | null>(null);
  loading = $state<'first' | 'more' | null>(null);
  /** At least one page of this filter has been read. */
  loaded = $state(false);
  error = $state.raw<unknown>(null);
  readonly #maxRows: number;
  #following = true;

  constructor(maxRows = MAX_ROWS) {
    this.#maxRows = maxRows;
  }

  get overfull(): boolean {
    return this.rows.length > this.#maxRows;
  }

  /** Some of the newest rows are known from summaries only. */
  hasPartial(newest: number): boolean {
    return this.rows.slice(0, newest).some((row) => row.partial && !row.left);
  }

  /** Completes the rows among these tasks. */
  complete(tasks: readonly Task[]): void {
    const read = new Map(tasks.map((task) => [task.id, task]));
    this.rows = this.rows.map((row) => {
      const task = row.partial ? read.get(row.id) : undefined;
      return task === undefined ? row : completeRow(row, task);
    });
  }

  /** Whether new rows may join at the top now: the reader looks there, and the pointer is not over the rows. */
  follow(following: boolean): void {
    this.#following = following;
    if (following) this.showWaiting();
  }

  /** Begins a read of the first page; rows of the same filter stay meanwhile. */
  begin(filter: ListFilter): void {
    if (filter !== this.filter) {
      this.filter = filter;
      this.rows = [];
      this.loaded = false;
    }
    this.loading = 'first';
    this.error = null;
  }

  replace(page: TaskPage): void {
    this.rows = page.tasks.map(rowOfTask);
    this.waiting = [];
    this.loaded = true;
    this.#finish(page);
  }

  append(page: TaskPage): void {
    const known = new Set(this.rows.map((row) => row.id));
    this.rows = [...this.rows, ...page.tasks.filter((task) => !known.has(task.id)).map(rowOfTask)];
    this.#finish(page);
  }

  fail(error: unknown): void {
    this.loading = null;
    this.error = error;
  }

  apply(frames: readonly TaskFrame[]): void {
    if (!this.loaded || frames.length === 0) return;
    const rows = new Map(this.rows.map((row) => [row.id, row]));
    const waiting = new Map(this.waiting.map((row) => [row.id, row]));
    for (const { event, task } of frames) {
      const shown = rows.get(task.id);
      if (shown !== undefined) {
        const left = event === 'removed' || !staysIn(this.filter, task);
        rows.set(task.id, { ...mergeSummary(shown, task), left });
        continue;
      }
      const early = waiting.get(task.id);
      const gone = event === 'removed' || !mayJoin(this.filter, task);
      if (gone) waiting.delete(task.id);
      else if (early !== undefined) waiting.set(task.id, mergeSummary(early, task));
      // progress of a task further down is no reason to show it at the top
      else if (event === 'created' || (this.filter.status !== '' && event !== 'progress' && event !== 'updated')) {
        waiting.set(task.id, rowOfSummary(task));
      }
    }
    this.rows = [...rows.values()];
    this.waiting = [...waiting.values()].slice(-this.#maxRows);
    if (this.#following) this.showWaiting();
  }

  /** Moves the waiting rows to the top. */
  showWaiting(): void {
    if (this.waiting.length === 0) return;
    this.rows = [...[...this.waiting].reverse(), ...this.rows];
    this.waiting = [];
  }

  /** Drops the oldest rows past the bound. */
  trim(): void {
    if (this.overfull) this.rows = this.rows.slice(0, this.#maxRows);
  }

  #finish(page: TaskPage): void {
    this.total = page.total;
    this.totalExact = page.total_exact;
    this.nextCursor = page.next_cursor;
    this.loading = null;
    this.error = null;
  }
}
