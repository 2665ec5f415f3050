/** Requeueing all failed tasks of a filter: what it would do, what was agreed to, how far it is. No I/O. */
import type { DryRun, Operation } from '#queue/contract/operation';
import type { ListFilter } from './list-filter';

export class RequeueStore {
  /** What it is about; null while the dialog is closed. */
  filter = $state.raw<ListFilter | null>(null);
  plan = $state.raw<DryRun | null>(null);
  operation = $state.raw<Operation | null>(null);
  /** The request is under way. */
  starting = $state(false);
  error = $state.raw<unknown>(null);
  readonly over = $derived(this.operation?.state === 'done' || this.operation?.state === 'aborted');
  /** Tasks dealt with, of those that were matched: 0 to 100. */
  readonly percent = $derived.by(() => {
    const { operation } = this;
    if (operation === null) return 0;
    const dealtWith = operation.done + operation.skipped + operation.failed;
    return operation.matched === 0 ? 100 : (100 * dealtWith) / operation.matched;
  });

  open(filter: ListFilter): void {
    this.close();
    this.filter = filter;
  }

  /** The operation itself goes on: the server carries it out. */
  close(): void {
    this.filter = null;
    this.plan = null;
    this.operation = null;
    this.starting = false;
    this.error = null;
  }

  start(): void {
    this.starting = true;
    this.error = null;
  }

  follow(operation: Operation): void {
    this.operation = operation;
    this.starting = false;
    this.error = null;
  }

  fail(error: unknown): void {
    this.starting = false;
    this.error = error;
  }
}
