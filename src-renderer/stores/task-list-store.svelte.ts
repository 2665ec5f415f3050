/**
 * The rows of a task list. Changed rows change in place; rows that left the query stay, dimmed, until the list is read
 * again; new rows wait until they are asked for, or join at the top of a list that follows. Folds frames, no I/O.
 */
import type { ServerFrame } from '#queue/contract/stream';
import type { Task, TaskPage } from '#queue/contract/task';
import { EVERYTHING, isByState, type ListScope, mayJoin, staysIn } from '../query/list-scope';
import { completeRow, mergeSummary, rowOfSummary, rowOfTask, type TaskRow } from './task-row';

export type TaskFrame = Extract<ServerFrame, { type: 'task' }>;

/** Rows kept: a list is not read on beyond. */
const MAX_ROWS = 100_000;
/** New rows kept; with more, the list has to be read again. */
const MAX_WAITING = 2000;

export class TaskListStore {
  scope = $state.raw<ListScope>(EVERYTHING);
  rows = $state.raw<readonly TaskRow[]>([]);
  /** New rows that are not shown yet, newest last. */
  waiting = $state.raw<readonly TaskRow[]>([]);
  /** More are new than are kept: `waiting` is not all. */
  waitingLost = $state(false);
  /** As of the last page read. */
  total = $state(0);
  totalExact = $state(true);
  nextCursor = $state<string | null>(null);
  loading = $state<'first' | 'more' | null>(null);
  /** At least one page of this scope has been read. */
  loaded = $state(false);
  error = $state.raw<unknown>(null);
  /** What the last first page took, ms. */
  tookMs = $state(0);
  /** Records that the pages together have looked at; 0 where all came from indexes. */
  scanned = $state(0);
  /** The last page brought nothing new though there is more: it is not read on without being asked. */
  stalled = $state(false);
  /** Frames change nothing while it is paused; they are counted. */
  paused = $state(false);
  missed = $state(0);
  /** New rows join at the top by themselves. */
  following = $state(false);
  readonly #maxRows: number;
  /** Position of each row: `#index.get(id) - #first`. Rows only come in at both ends, so positions stay true. */
  #index = new Map<string, number>();
  #first = 0;

  constructor({ maxRows = MAX_ROWS, following = false }: { maxRows?: number; following?: boolean } = {}) {
    this.#maxRows = maxRows;
    this.following = following;
  }

  get full(): boolean {
    return this.rows.length >= this.#maxRows;
  }

  /** Some of the newest rows are known from summaries only. */
  hasPartial(newest: number): boolean {
    return this.rows.slice(0, newest).some((row) => row.partial && !row.left);
  }

  /** Completes the rows among these tasks. */
  complete(tasks: readonly Task[]): void {
    this.#change((set) => {
      for (const task of tasks) {
        const row = this.rowOf(task.id);
        if (row?.partial) set(completeRow(row, task));
      }
    });
  }

  rowOf(id: string): TaskRow | undefined {
    const at = this.#index.get(id);
    return at === undefined ? undefined : this.rows[at - this.#first];
  }

  follow(following: boolean): void {
    this.following = following;
    if (following) this.showWaiting();
  }

  pause(paused: boolean): void {
    this.paused = paused;
    this.missed = 0;
  }

  /** Begins a read of the first page; rows of the same scope stay meanwhile, and those of another until it is there. */
  begin(scope: ListScope): void {
    if (scope.text !== this.scope.text) this.loaded = false;
    this.scope = scope;
    this.loading = 'first';
    this.error = null;
  }

  replace(page: TaskPage, tookMs = 0): void {
    this.rows = page.tasks.map(rowOfTask);
    this.#reindex();
    this.waiting = [];
    this.waitingLost = false;
    this.missed = 0;
    this.loaded = true;
    this.tookMs = tookMs;
    this.scanned = 0;
    this.stalled = page.tasks.length === 0;
    this.#finish(page);
  }

  append(page: TaskPage): void {
    const added = page.tasks.filter((task) => !this.#index.has(task.id)).map(rowOfTask);
    for (const [n, row] of added.entries()) this.#index.set(row.id, this.#first + this.rows.length + n);
    if (added.length > 0) this.rows = [...this.rows, ...added];
    this.stalled = added.length === 0;
    this.#finish(page);
  }

  fail(error: unknown): void {
    this.loading = null;
    this.error = error;
  }

  /** @param now Unix ms, of this browser */
  apply(frames: readonly TaskFrame[], now: number): void {
    if (this.paused) this.missed += frames.length;
    if (!this.loaded || this.paused || frames.length === 0) return;
    const waiting = new Map(this.waiting.map((row) => [row.id, row]));
    this.#change((set) => {
      for (const { event, task } of frames) {
        const shown = this.rowOf(task.id);
        if (shown !== undefined) {
          const left = event === 'removed' || !staysIn(this.scope, task);
          set({ ...mergeSummary(shown, task), left, changes: shown.changes + 1, changedAt: now });
          continue;
        }
        const early = waiting.get(task.id);
        if (event === 'removed' || !mayJoin(this.scope, task)) waiting.delete(task.id);
        else if (early !== undefined) waiting.set(task.id, mergeSummary(early, task));
        // progress of a task further down is no reason to show it at the top
        else if (event === 'created' || (isByState(this.scope) && event !== 'progress' && event !== 'updated'))
          waiting.set(task.id, rowOfSummary(task));
      }
    });
    const bound = Math.min(MAX_WAITING, this.#maxRows);
    if (waiting.size > bound) this.waitingLost = true;
    this.waiting = [...waiting.values()].slice(-bound);
    if (this.following || this.rows.length === 0) this.showWaiting();
  }

  /** Moves the waiting rows to the top. */
  showWaiting(): void {
    if (this.waiting.length === 0) return;
    const added = [...this.waiting].reverse();
    this.#first -= added.length;
    for (const [n, row] of added.entries()) this.#index.set(row.id, this.#first + n);
    this.rows = [...added, ...this.rows];
    this.waiting = [];
    this.trim();
  }

  /** Drops the oldest rows past the bound. */
  trim(): void {
    if (this.rows.length <= this.#maxRows) return;
    for (const row of this.rows.slice(this.#maxRows)) this.#index.delete(row.id);
    this.rows = this.rows.slice(0, this.#maxRows);
  }

  /** One copy of the rows, however many of them change; who reads them does so after the batch. */
  #change(work: (set: (row: TaskRow) => void) => void): void {
    let rows: TaskRow[] | null = null;
    work((row) => {
      const at = this.#index.get(row.id);
      if (at === undefined) return;
      rows ??= [...this.rows];
      rows[at - this.#first] = row;
      this.rows = rows;
    });
  }

  #reindex(): void {
    this.#first = 0;
    this.#index = new Map(this.rows.map((row, n) => [row.id, n]));
  }

  #finish(page: TaskPage): void {
    // a list that is read to its end has counted itself
    const whole = page.next_cursor === null;
    this.total = whole ? this.rows.length : page.total;
    this.totalExact = whole || page.total_exact;
    this.nextCursor = page.next_cursor;
    this.scanned += page.scanned ?? 0;
    this.loading = null;
    this.error = null;
  }
}
