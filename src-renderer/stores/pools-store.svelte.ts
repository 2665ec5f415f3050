/** The worker pools of the server that the console talks to. Folds answers, no I/O. */
import type { Pool } from '#queue/contract/worker';

export class PoolsStore {
  /** Null until the first answer. */
  pools = $state.raw<readonly Pool[] | null>(null);
  /** Of the last read; what was known stays. */
  error = $state.raw<unknown>(null);
  /** A process starts, stops or is replaced: worth another look soon. */
  readonly moving = $derived(this.pools?.some(isMoving) ?? false);

  replace(pools: readonly Pool[]): void {
    this.pools = pools;
    this.error = null;
  }

  /** One pool as a request has left it; a new one comes last. */
  put(pool: Pool): void {
    const known = this.pools ?? [];
    this.pools = known.some(({ id }) => id === pool.id)
      ? known.map((each) => (each.id === pool.id ? pool : each))
      : [...known, pool];
  }

  remove(id: string): void {
    this.pools = this.pools?.filter((pool) => pool.id !== id) ?? null;
  }
}

export const isMoving = ({ members, processes, restarting }: Pool): boolean =>
  restarting !== null || members.length !== processes || members.some(({ state }) => state !== 'running');
