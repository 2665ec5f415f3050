/**
 * All pools of this process: the one that the configuration asks for, and those made through the API, which are kept
 * and started again with the process. A change of the configured pool lasts until the process ends.
 *
 * Worker processes that an earlier process let go of are asked to finish when the pools start anew: new ones serve in
 * their place.
 */
import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { QueueError } from '#queue/contract/errors';
import type { CreatePool, PatchPool, Pool } from '#queue/contract/worker';
import { randomName } from '#queue/kernel/ids';
import { type Service, startAll } from '#queue/kernel/service';
import type { PoolManager } from '../server/ports';
import type { LeftWorkers } from './left-workers';
import type { PoolStore } from './pool-store';
import { type PoolSpec, WorkerPool, type WorkerPoolDeps } from './worker-pool';

/** Id of the pool that comes from the configuration. */
export const CONFIGURED_POOL = 'default';
export const MAX_POOLS = 100;

export interface WorkerPoolsDeps extends WorkerPoolDeps {
  store: PoolStore;
  /** Processes that were let go of. */
  left: LeftWorkers;
  /** Null: the configuration wants none. */
  configured: CreatePool | null;
}

export class WorkerPools implements PoolManager, Service {
  readonly name = 'worker pools';
  readonly #deps: WorkerPoolsDeps;
  readonly #pools = new Map<string, WorkerPool>();
  #stopped = false;

  constructor(deps: WorkerPoolsDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const { configured, store, left } = this.#deps;
    left.dismiss();
    if (configured) this.#add({ id: CONFIGURED_POOL, ...configured });
    for (const spec of await store.load()) this.#add(spec);
    await startAll([...this.#pools.values()]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#pools.values()].map((pool) => pool.stop()));
  }

  /** Ends all worker processes now. */
  async kill(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#pools.values()].map((pool) => pool.kill()));
  }

  /** Lets go of all worker processes, which run on when this one ends. */
  async detach(): Promise<void> {
    this.#stopped = true;
    const pids = await Promise.all(this.pools.map((pool) => pool.detach()));
    this.#deps.left.remember(pids.flat());
  }

  get runningTasks(): number {
    return this.pools.reduce((sum, pool) => sum + pool.runningTasks, 0);
  }

  quiet(): void {
    for (const pool of this.#pools.values()) pool.quiet();
  }

  get pools(): readonly WorkerPool[] {
    return [...this.#pools.values()];
  }

  async list(): Promise<Pool[]> {
    return this.pools.map((pool) => pool.view());
  }

  async create(input: CreatePool): Promise<Pool> {
    await checkHandlers(input.handlers);
    this.#refuseWhenStopped();
    this.#refuseTakenName(input.name, null);
    if (this.#pools.size >= MAX_POOLS) throw new QueueError('CONFLICT', `there are ${MAX_POOLS} pools already`);
    const pool = this.#add({ id: randomName('pool'), ...input });
    await this.#save().catch((error: unknown) => {
      this.#pools.delete(pool.spec.id);
      throw error;
    });
    await pool.start();
    return pool.view();
  }

  async patch(id: string, change: PatchPool): Promise<Pool | null> {
    const pool = this.#pools.get(id);
    if (!pool) return null;
    if (change.handlers !== undefined) await checkHandlers(change.handlers);
    this.#refuseWhenStopped();
    if (change.name !== undefined) this.#refuseTakenName(change.name, id);
    const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
    pool.update({ ...pool.spec, ...given });
    await this.#save();
    return pool.view();
  }

  async remove(id: string): Promise<boolean> {
    const pool = this.#pools.get(id);
    if (!pool) return false;
    this.#pools.delete(id);
    await this.#save();
    await pool.stop();
    return true;
  }

  async restart(id: string): Promise<Pool | null> {
    const pool = this.#pools.get(id);
    if (!pool) return null;
    this.#refuseWhenStopped();
    if (!pool.restart()) throw new QueueError('CONFLICT', `pool "${pool.spec.name}" is being restarted already`);
    return pool.view();
  }

  async restartWorker(workerId: string): Promise<Pool | null> {
    this.#refuseWhenStopped();
    return this.pools.find((pool) => pool.restartWorker(workerId))?.view() ?? null;
  }

  #add(spec: PoolSpec): WorkerPool {
    const pool = new WorkerPool(spec, this.#deps);
    this.#pools.set(spec.id, pool);
    return pool;
  }

  #save(): Promise<void> {
    return this.#deps.store.save(this.pools.map((pool) => pool.spec).filter((spec) => spec.id !== CONFIGURED_POOL));
  }

  #refuseWhenStopped(): void {
    if (this.#stopped) throw new QueueError('CONFLICT', 'this process is stopping');
  }

  #refuseTakenName(name: string, self: string | null): void {
    const holder = this.pools.find((pool) => pool.spec.name === name);
    if (holder && holder.spec.id !== self) throw new QueueError('CONFLICT', `there is a pool called "${name}" already`);
  }
}

async function checkHandlers(path: string | null): Promise<void> {
  if (path === null) return;
  const fault = (message: string) =>
    new QueueError('INVALID', `handlers ${message}`, { fields: [{ path: 'handlers', message }] });
  if (!isAbsolute(path)) throw fault('must be an absolute path');
  const found = await stat(path).catch(() => null); // whatever keeps us from it, it is no folder to us
  if (!found?.isDirectory()) throw fault('is not a folder on this machine');
}
