/** Handlers of workers, pools and task types. */
import { QueueError } from '#queue/contract/errors';
import type { fleetRoutes } from '#queue/contract/http-fleet';
import type { Worker } from '#queue/contract/worker';
import type { WorkerCommand } from '#queue/engine/ports';
import type { Identity } from '../auth';
import type { HandlerDeps, HandlersOf } from '../handlers';
import type { PoolManager } from '../ports';

export function createFleetHandlers({
  directory,
  pools,
  reader,
  auditor,
}: HandlerDeps): HandlersOf<typeof fleetRoutes> {
  const command =
    (verb: WorkerCommand) =>
    async ({ params: { id }, caller }: { params: { id: string }; caller: Identity }) => {
      const worker = (await directory.list()).find((candidate) => candidate.id === id);
      if (worker === undefined || !(await directory.command(id, verb))) {
        throw new QueueError('WORKER_NOT_FOUND', `there is no live worker ${id}`);
      }
      await auditor.record(caller, `worker.${verb}`, id);
      return { status: 202, body: worker } as const;
    };

  const requirePools = (): PoolManager => {
    if (pools === null) throw new QueueError('CONFLICT', 'this process runs no worker pools');
    return pools;
  };
  const noPool = (id: string) => new QueueError('POOL_NOT_FOUND', `there is no pool ${id}`);

  return {
    async listWorkers() {
      return { status: 200, body: { workers: await directory.list() } };
    },
    quietWorker: command('quiet'),
    stopWorker: command('stop'),

    async restartWorker({ params: { id }, caller }) {
      const pool = pools === null ? null : await pools.restartWorker(id);
      if (pool === null) {
        if ((await directory.list()).some((worker) => worker.id === id))
          throw new QueueError('CONFLICT', `worker ${id} was not started by this server: restart it where it runs`);
        throw new QueueError('WORKER_NOT_FOUND', `there is no live worker ${id}`);
      }
      await auditor.record(caller, 'worker.restart', id);
      return { status: 202, body: pool };
    },

    async restartPool({ params: { id }, caller }) {
      const pool = await requirePools().restart(id);
      if (pool === null) throw noPool(id);
      await auditor.record(caller, 'pool.restart', id);
      return { status: 202, body: pool };
    },

    async listPools() {
      return { status: 200, body: { pools: pools === null ? [] : await pools.list() } };
    },

    async createPool({ body, caller }) {
      const pool = await requirePools().create(body);
      await auditor.record(caller, 'pool.create', pool.id, pool.name);
      return { status: 201, body: pool };
    },

    async patchPool({ params: { id }, body, caller }) {
      const pool = await requirePools().patch(id, body);
      if (pool === null) throw noPool(id);
      await auditor.record(caller, 'pool.update', id, JSON.stringify(body));
      return { status: 200, body: pool };
    },

    async deletePool({ params: { id }, caller }) {
      if (!(await requirePools().remove(id))) throw noPool(id);
      await auditor.record(caller, 'pool.delete', id);
      return { status: 204 };
    },

    async listTaskTypes() {
      const [announced, seen, workers] = await Promise.all([
        directory.announcedTypes(),
        reader.taskTypes(),
        directory.list(),
      ]);
      const byName = new Map(announced.map((type) => [type.task_type, type]));
      const names = new Set([...byName.keys(), ...seen, ...workers.flatMap((worker) => worker.task_types)]);
      const task_types = [...names].sort().map((name) => ({
        task_type: name,
        description: byName.get(name)?.description ?? null,
        payload_schema: byName.get(name)?.payload_schema ?? null,
        timeout: byName.get(name)?.timeout ?? null,
        ...serving(workers, name),
      }));
      return { status: 200, body: { task_types } };
    },
  };
}

function serving(workers: readonly Worker[], type: string): { workers: string[]; queues: string[] } {
  const ofType = workers.filter((worker) => worker.task_types.includes(type));
  const queues = new Set(ofType.flatMap((worker) => worker.queues.map(({ name }) => name)));
  return { workers: ofType.map(({ id }) => id), queues: [...queues].sort() };
}
