/** Single dead letters: the rows that match, which are checked, and which have left since they were read. No I/O. */
import type { ServerFrame } from '#queue/contract/stream';
import type { Task, TaskFilter, TaskPage } from '#queue/contract/task';
import type { Selection } from './selection-text';

export class DeadLettersStore {
  filter = $state.raw<TaskFilter>({});
  rows = $state.raw<readonly Task[]>([]);
  /** Ids of rows that are dead letters no more; they stay until the list is read again. */
  left = $state.raw<ReadonlySet<string>>(new Set());
  /** Ids of tasks that have failed since. */
  arrived = $state.raw<ReadonlySet<string>>(new Set());
  total = $state(0);
  totalExact = $state(true);
  nextCursor = $state<string | null>(null);
  loading = $state<'first' | 'more' | null>(null);
  loaded = $state(false);
  error = $state.raw<unknown>(null);
  checked = $state.raw<ReadonlySet<string>>(new Set());
  /** Everything that matches is meant, beyond what is loaded. */
  allMatching = $state(false);
  readonly allLoadedChecked = $derived(this.rows.length > 0 && this.rows.every(({ id }) => this.checked.has(id)));
  readonly selectedCount = $derived(this.allMatching ? this.total : this.checked.size);

  /** Everything that matches, as the API takes it. */
  get everything(): TaskFilter {
    return { ...this.filter, status: 'failed' };
  }

  /** What an action is for: all that match, the checked rows, or the one given. Null where there is none. */
  selection(row: string | null): Selection | null {
    if (this.allMatching) return { filter: this.everything };
    const ids = this.checked.size > 0 ? [...this.checked] : row === null ? [] : [row];
    return ids.length === 0 ? null : { ids };
  }

  begin(filter: TaskFilter): void {
    if (filter !== this.filter) {
      this.filter = filter;
      this.rows = [];
      this.loaded = false;
      this.uncheck();
    }
    this.loading = 'first';
    this.error = null;
  }

  replace(page: TaskPage): void {
    this.rows = page.tasks;
    this.left = new Set();
    this.arrived = new Set();
    this.loaded = true;
    this.#finish(page);
    const there = new Set(page.tasks.map(({ id }) => id));
    this.check(new Set([...this.checked].filter((id) => there.has(id))));
  }

  append(page: TaskPage): void {
    const known = new Set(this.rows.map(({ id }) => id));
    this.rows = [...this.rows, ...page.tasks.filter(({ id }) => !known.has(id))];
    this.#finish(page);
  }

  fail(error: unknown): void {
    this.loading = null;
    this.error = error;
  }

  /** Checking single rows is a step back from all that match. */
  check(ids: ReadonlySet<string>): void {
    this.checked = ids;
    this.allMatching = false;
  }

  uncheck(): void {
    this.check(new Set());
  }

  apply(frames: readonly ServerFrame[]): void {
    if (!this.loaded) return;
    const left = new Set(this.left);
    const arrived = new Set(this.arrived);
    const known = new Set(this.rows.map(({ id }) => id));
    for (const frame of frames) {
      if (frame.type !== 'task') continue;
      const { id, status } = frame.task;
      const dead = status === 'failed' && frame.event !== 'removed';
      if (known.has(id)) {
        if (dead) left.delete(id);
        else left.add(id);
      } else if (!dead) arrived.delete(id);
      else if (this.#mayMatch(frame.task)) arrived.add(id);
    }
    this.left = left;
    this.arrived = arrived;
  }

  /** As far as a frame tells: of a filter on anything else only the next read knows. */
  #mayMatch(task: { queue: string; task_type: string }): boolean {
    const { queue = task.queue, task_type = task.task_type, error, q, tag, owner } = this.filter;
    const plain = error === undefined && q === undefined && tag === undefined && owner === undefined;
    return plain && queue === task.queue && task_type === task.task_type;
  }

  #finish(page: TaskPage): void {
    this.total = page.total;
    this.totalExact = page.total_exact;
    this.nextCursor = page.next_cursor;
    this.loading = null;
    this.error = null;
  }
}
