/**
 * The tasks of one batch: submitted once, then watched. Their ids are kept in a file of the batch, so that going on
 * after a snooze costs one read; where the file is not there (another machine), submitting again with the same
 * idempotency keys answers with the same tasks.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isFinal, type TaskStatus } from '#queue/contract/lifecycle';
import { TaskId } from '#queue/contract/primitives';
import type { Artifacts, ChildState, HandlerContext, TaskAccess } from '../../handler';
import type { BatchPayload } from './payload';
import { taskOfItem } from './tasks-of-items';

const FILE = 'children.json';
/** In one call: of submits, and of looks. Results come with each look, so it bounds memory too. */
const PAGE = 200;
const KnownChildren = z.object({ batch: z.string(), ids: z.array(TaskId) });

/** `gone`: removed, or pruned by retention, before the batch saw how it ended. */
export type ChildStatus = TaskStatus | 'gone';

export class Children {
  readonly ids: string[] = [];
  readonly #statuses: ChildStatus[] = [];
  readonly #tasks: TaskAccess;

  constructor(tasks: TaskAccess) {
    this.#tasks = tasks;
  }

  /** Makes the tasks, or finds those that were made before. @throws FatalError where a task is not valid */
  async ensure({ payload, task, artifacts, signal, progress }: HandlerContext<BatchPayload>): Promise<void> {
    const total = payload.items.length;
    const known = await readKnown(artifacts, task.id);
    if (known?.length === total) {
      this.#add(known);
      return;
    }
    while (this.ids.length < total) {
      signal.throwIfAborted();
      const from = this.ids.length;
      const indexes = Array.from({ length: Math.min(PAGE, total - from) }, (_, offset) => from + offset);
      this.#add(await this.#tasks.submit(indexes.map((index) => taskOfItem(payload, task, index))));
      await progress(0, `submitted ${this.ids.length} of ${total} tasks`);
    }
    if (total > 0) await artifacts.write(FILE, JSON.stringify({ batch: task.id, ids: this.ids }), 'application/json');
  }

  #add(ids: readonly string[]): void {
    this.ids.push(...ids);
    this.#statuses.push(...ids.map((): ChildStatus => 'pending'));
  }

  /** Looks at those that had not ended. @returns whether any of them moved */
  async look(): Promise<boolean> {
    let moved = false;
    const open = this.#openIndexes();
    for (let from = 0; from < open.length; from += PAGE) {
      const page = open.slice(from, from + PAGE);
      const states = await this.#tasks.states(page.map((index) => this.ids[index] ?? ''));
      for (const [offset, index] of page.entries()) {
        const status = states[offset]?.status ?? 'gone';
        moved ||= status !== this.#statuses[index];
        this.#statuses[index] = status;
      }
    }
    return moved;
  }

  count(status: ChildStatus): number {
    return this.#statuses.filter((each) => each === status).length;
  }

  get open(): number {
    return this.#openIndexes().length;
  }

  #openIndexes(): number[] {
    const indexes: number[] = [];
    for (const [index, status] of this.#statuses.entries())
      if (status !== 'gone' && !isFinal(status)) indexes.push(index);
    return indexes;
  }

  /** In the order of the items, a page at a time. */
  async *states(): AsyncGenerator<{ index: number; id: string; state: ChildState | null }> {
    for (let from = 0; from < this.ids.length; from += PAGE) {
      const ids = this.ids.slice(from, from + PAGE);
      const states = await this.#tasks.states(ids);
      for (const [offset, id] of ids.entries()) yield { index: from + offset, id, state: states[offset] ?? null };
    }
  }

  async cancelOpen(reason: string): Promise<void> {
    const ids = this.#openIndexes().map((index) => this.ids[index] ?? '');
    for (let from = 0; from < ids.length; from += PAGE) await this.#tasks.cancel(ids.slice(from, from + PAGE), reason);
  }
}

async function readKnown(artifacts: Artifacts, batch: string): Promise<string[] | null> {
  try {
    const known = KnownChildren.safeParse(JSON.parse(await readFile(join(artifacts.folder, FILE), 'utf8')));
    return known.success && known.data.batch === batch ? known.data.ids : null;
  } catch {
    return null; // not there yet, or not readable: the tasks are submitted (again), which makes none twice
  }
}
