/** Bulk work of the server: what runs, what is over. Folds answers and frames, no I/O. */
import type { Operation } from '#queue/contract/operation';

/** Neither done nor aborted. */
export const isUnderWay = ({ state }: Operation): boolean => state !== 'done' && state !== 'aborted';
/** Something moves without anybody's doing. */
export const moves = (operation: Operation): boolean => isUnderWay(operation) && operation.state !== 'paused';

/** Tasks dealt with: done, skipped, failed. */
export const dealtWith = ({ done, skipped, failed }: Operation): number => done + skipped + failed;

/** Of those that were matched, 0 to 100. */
export const percentOf = (operation: Operation): number =>
  operation.matched === 0 ? 100 : Math.min(100, (100 * dealtWith(operation)) / operation.matched);

/** Tasks a second since it began; null where nothing is done yet. */
export function speedOf(operation: Operation, now: number): number | null {
  const until = operation.finished_at === null ? now : Date.parse(operation.finished_at);
  const seconds = (until - Date.parse(operation.started_at)) / 1000;
  return seconds <= 0 || dealtWith(operation) === 0 ? null : dealtWith(operation) / seconds;
}

/** Milliseconds until it is through, as the server reckons; null where it is not known, or it does not move. */
export const leftOf = ({ eta_seconds }: Operation): number | null => (eta_seconds === null ? null : 1000 * eta_seconds);

/** Lists and frames leave out what went wrong: what was read of it stays. */
const withRecent = (operation: Operation, known: Operation | undefined): Operation =>
  operation.recent === undefined && known?.recent !== undefined ? { ...operation, recent: known.recent } : operation;

export class OperationsStore {
  /** Newest first. */
  operations = $state.raw<readonly Operation[]>([]);
  loaded = $state(false);
  error = $state.raw<unknown>(null);
  readonly underWay = $derived(this.operations.filter(isUnderWay));
  /** The newest that moves, else the newest that is held. */
  readonly current = $derived(this.underWay.find(moves) ?? this.underWay[0] ?? null);

  replace(operations: readonly Operation[]): void {
    const known = new Map(this.operations.map((operation) => [operation.id, operation]));
    this.operations = operations.map((operation) => withRecent(operation, known.get(operation.id)));
    this.loaded = true;
    this.error = null;
  }

  put(operation: Operation): void {
    const known = this.operations.some(({ id }) => id === operation.id);
    this.operations = known
      ? this.operations.map((each) => (each.id === operation.id ? withRecent(operation, each) : each))
      : [operation, ...this.operations];
  }

  fail(error: unknown): void {
    this.error = error;
  }
}
