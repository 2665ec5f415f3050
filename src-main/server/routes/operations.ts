/** Handlers of the dead-letter queue and of operations on many tasks. */
import { QueueError } from '#queue/contract/errors';
import { roleIncludes } from '#queue/contract/http';
import type { dlqRoutes, operationRoutes } from '#queue/contract/http-queues';
import type { Operation, OperationAction } from '#queue/contract/operation';
import type { TaskFilter } from '#queue/contract/task';
import { type OperationRequest, readFilter } from '#queue/engine/operations';
import type { Identity } from '../auth';
import type { HandlerDeps, HandlersOf } from '../handlers';
import { invalid } from '../problem';
import { toPage } from './tasks';

interface Selection {
  ids?: readonly string[] | undefined;
  filter?: TaskFilter | undefined;
  dry_run: boolean;
  limit?: number | undefined;
  rate?: number | undefined;
  canary?: number | undefined;
  expected_count?: number | undefined;
}

/** Tasks looked up in one call. */
const LOOK_UP = 1000;

export function createOperationHandlers(deps: HandlerDeps): HandlersOf<typeof dlqRoutes & typeof operationRoutes> {
  const { reader, operations, auditor, fleet } = deps;

  const carryOut = async (request: OperationRequest, dryRun: boolean, caller: Identity) => {
    if (dryRun) return { status: 200, body: await operations.plan(request) } as const;
    const operation = await operations.start(request);
    await auditor.record(caller, `operation.${request.action}`, operation.id, describeSelection(request));
    return { status: 202, body: operation } as const;
  };

  const steer =
    (verb: 'pause' | 'resume' | 'abort') =>
    async ({ params, caller }: { params: { id: string }; caller: Identity }) => {
      const body = found(await operations[verb](params.id), params.id);
      await auditor.record(caller, `operation.${verb}`, params.id);
      return { status: 200, body } as const;
    };

  /** Of the dead-letter queue only what is in it: other tasks among the ids are left alone. */
  const failedOf = async (ids: readonly string[]): Promise<string[]> => {
    const failed: string[] = [];
    for (let from = 0; from < ids.length; from += LOOK_UP) {
      for (const task of await reader.getTasks(ids.slice(from, from + LOOK_UP)))
        if (task?.status === 'failed') failed.push(task.id);
    }
    return failed;
  };

  const ofDeadLetters = async (
    action: OperationAction,
    body: Selection,
    caller: Identity,
  ): Promise<OperationRequest> => {
    const request = toRequest(action, body, caller, null);
    if (request.ids !== null) return { ...request, ids: await failedOf(request.ids) };
    const statuses = [request.filter?.status ?? 'failed'].flat();
    if (statuses.some((status) => status !== 'failed'))
      throw invalid([{ path: 'filter.status', message: 'can only be failed here' }]);
    return { ...request, filter: { ...request.filter, status: 'failed' } };
  };

  return {
    async listDlq({ query: { limit, cursor = null, ...filter } }) {
      return {
        status: 200,
        body: toPage(await reader.listTasks(readFilter({ ...filter, status: 'failed' }), { limit, cursor })),
      };
    },

    async listDlqGroups() {
      return { status: 200, body: { groups: await reader.failureGroups() } };
    },

    async getDlqGroup({ params: { fingerprint } }) {
      const [group, workers] = await Promise.all([reader.failureGroup(fingerprint), fleet.workers()]);
      if (group === null)
        throw new QueueError(
          'NOT_FOUND',
          `no failed task has the fingerprint ${fingerprint}: it may have been requeued`,
        );
      const hosts = new Map(workers.map(({ id, host }) => [id, host]));
      const ranOn = group.workers.map((worker) => ({ ...worker, host: hosts.get(worker.worker_id) ?? null }));
      return { status: 200, body: { ...group, workers: ranOn } };
    },

    requeueDlq: async ({ body, caller }) =>
      carryOut(await ofDeadLetters('requeue', body, caller), body.dry_run, caller),
    purgeDlq: async ({ body, caller }) => carryOut(await ofDeadLetters('delete', body, caller), body.dry_run, caller),

    async startOperation({ body, caller }) {
      if (body.action === 'delete' && !roleIncludes(caller.role, 'admin'))
        throw new QueueError('FORBIDDEN', 'to delete needs the role admin');
      return carryOut(toRequest(body.action, body, caller, body.priority ?? null), body.dry_run, caller);
    },

    async listOperations() {
      return { status: 200, body: { operations: await operations.list() } };
    },

    async getOperation({ params }) {
      return { status: 200, body: found(await operations.get(params.id), params.id) };
    },

    pauseOperation: steer('pause'),
    resumeOperation: steer('resume'),
    abortOperation: steer('abort'),
  };
}

function found(operation: Operation | null, id: string): Operation {
  if (operation === null) throw new QueueError('OPERATION_NOT_FOUND', `there is no operation ${id}`);
  return operation;
}

function toRequest(
  action: OperationAction,
  body: Selection,
  caller: Identity,
  priority: number | null,
): OperationRequest {
  if (body.canary !== undefined) throw new QueueError('NOT_IMPLEMENTED', 'canary: not in this version');
  return {
    action,
    ids: body.ids === undefined ? null : [...new Set(body.ids)],
    filter: body.filter ?? null,
    limit: body.limit ?? null,
    rate: body.rate ?? null,
    priority,
    expectedCount: body.expected_count ?? null,
    by: caller.name,
  };
}

const describeSelection = ({ ids, filter }: OperationRequest): string =>
  ids === null ? `filter ${JSON.stringify(filter)}` : `${ids.length} tasks by id`;
