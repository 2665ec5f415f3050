/** Handlers of single tasks and their lists. */
import { QueueError } from '#queue/contract/errors';
import type { taskRoutes } from '#queue/contract/http-tasks';
import { LIMITS } from '#queue/contract/limits';
import { IdempotencyKey, isoTime } from '#queue/contract/primitives';
import type { PatchTask, SubmitTask, Task } from '#queue/contract/task';
import { parseSent } from '#queue/contract/wording';
import { readFilter } from '#queue/engine/operations';
import type { StoredTask, TaskPatch, TaskReader, TaskSpec } from '#queue/engine/ports';
import { payloadText } from '#queue/engine/task-spec';
import { toHistoryEntry, toTask } from '#queue/engine/task-view';
import { removeArtifacts } from '../artifact-files';
import { explain } from '../explain';
import type { HandlerDeps, HandlersOf } from '../handlers';
import { fieldErrors, invalid } from '../problem';
import { toSpec } from '../submit-intake';
import { createArtifactHandlers } from './artifacts';
import { createBulkHandler } from './bulk';

export const noTask = (id: string): QueueError => new QueueError('TASK_NOT_FOUND', `there is no task ${id}`);
const conflict = (message: string, extra: Record<string, unknown> = {}): QueueError =>
  new QueueError('CONFLICT', message, { extra });

async function readTask(reader: TaskReader, id: string): Promise<StoredTask> {
  const [task] = await reader.getTasks([id], { full: true });
  if (!task) throw noTask(id);
  return task;
}

export function createTaskHandlers(deps: HandlerDeps): HandlersOf<typeof taskRoutes> {
  const { engine, reader, fleet, metrics, auditor, log, settings } = deps;

  const submitOne = async (input: SubmitTask, spec: TaskSpec): Promise<{ task: Task; repeated: boolean }> => {
    const outcome = await engine.submit(spec);
    if (!outcome.ok) throw outcome.error;
    const [[stored], warnings] = await Promise.all([
      reader.getTasks([outcome.id], { full: true }),
      outcome.repeated ? [] : fleet.warningsFor(input.task_type, input.queue),
    ]);
    if (!stored) {
      throw new QueueError('CONFLICT', `task ${outcome.id} was accepted, and has been removed since`, {
        extra: { id: outcome.id },
      });
    }
    return { task: { ...toTask(stored), ...(warnings.length > 0 && { warnings }) }, repeated: outcome.repeated };
  };

  return {
    ...createBulkHandler(deps),
    ...createArtifactHandlers(deps),

    async submitTask({ body, caller, request }) {
      const input = withKeyOfHeader(body, request.headers.get('idempotency-key'));
      const { task, repeated } = await submitOne(input, toSpec(input, caller, deps.settings.defaults));
      return { status: repeated ? 200 : 201, body: task };
    },

    async listTasks({ query: { limit, cursor = null, ...filter } }) {
      const page = await reader.listTasks(readFilter(filter), { limit, cursor });
      return { status: 200, body: toPage(page) };
    },

    async statsOverview() {
      return { status: 200, body: await fleet.overview() };
    },

    async suggestTasks({ query: { field, prefix } }) {
      if (field !== 'worker') return { status: 200, body: { values: await reader.suggest(field, prefix) } };
      const known = (await fleet.workers()).map(({ id }) => id);
      const values = known.filter((id) => id.toLowerCase().startsWith(prefix.toLowerCase())).sort();
      return {
        status: 200,
        body: { values: values.slice(0, LIMITS.suggestions).map((value) => ({ value, label: null, count: null })) },
      };
    },

    async getTask({ params }) {
      return { status: 200, body: toTask(await readTask(reader, params.id)) };
    },

    async patchTask({ params: { id }, body, caller }) {
      const outcome = await engine.patch(id, toPatch(body));
      if (outcome === 'gone') throw noTask(id);
      if (outcome !== 'patched')
        throw conflict(outcome === 'running' ? `task ${id} is running` : `task ${id} has ended`);
      await auditor.record(caller, 'task.update', id, Object.keys(body).join(', '));
      return { status: 200, body: toTask(await readTask(reader, id)) };
    },

    async deleteTask({ params: { id }, caller }) {
      const [outcome] = await engine.remove([id]);
      if (outcome === 'running') throw conflict(`task ${id} is running; cancel it first`);
      if (outcome !== 'removed') throw noTask(id);
      await auditor.record(caller, 'task.delete', id);
      // The task is gone whatever becomes of its files: what cannot be removed now is pruned later.
      if (settings.artifactsDir !== null) {
        await removeArtifacts(settings.artifactsDir, id).catch((error: unknown) =>
          log.warn('the artifacts of a removed task are still there', { task: id, error }),
        );
      }
      return { status: 204 };
    },

    async taskHistory({ params: { id } }) {
      const history = await reader.history(id);
      if (history === null) throw noTask(id);
      return { status: 200, body: { history: history.map(toHistoryEntry) } };
    },

    async explainTask({ params: { id } }) {
      const [facts, workers, rates] = await Promise.all([
        reader.waitFacts(id),
        fleet.workers(),
        metrics.queueFigures(),
      ]);
      if (facts === null) throw noTask(id);
      return { status: 200, body: explain(facts, workers, rates.get(facts.queue.name) ?? { in: 0, out: 0 }) };
    },

    async taskLogs({ params: { id } }) {
      const logs = await reader.logs(id);
      if (logs === null) throw noTask(id);
      return { status: 200, body: { logs: logs.map((line) => ({ ...line, at: isoTime(line.at) })) } };
    },

    async cancelTask({ params: { id }, caller }) {
      const [outcome] = await engine.cancel([id], `cancelled by ${caller.name}`);
      if (outcome === undefined || outcome === 'gone') throw noTask(id);
      if (outcome === 'final') throw conflict(`task ${id} has ended; there is nothing to cancel`);
      await auditor.record(caller, 'task.cancel', id);
      const body = toTask(await readTask(reader, id));
      return outcome === 'asked' ? { status: 202, body } : { status: 200, body };
    },

    async retryTask({ params: { id }, body, caller }) {
      const payload = body.payload === undefined ? undefined : payloadText(body.payload);
      const [outcome] = await engine.requeue([id], {
        ...(payload !== undefined && { payload }),
        ...(body.priority !== undefined && { priority: body.priority }),
      });
      if (outcome === undefined || outcome === 'gone') throw noTask(id);
      if (outcome === 'not_final') throw conflict(`task ${id} is neither failed nor cancelled`);
      if (outcome === 'duplicate')
        throw new QueueError('DUPLICATE_UNIQUE_KEY', `a live task holds the unique key of task ${id}`);
      await auditor.record(caller, 'task.retry', id);
      return { status: 200, body: toTask(await readTask(reader, id)) };
    },
  };
}

export function toPage(page: Awaited<ReturnType<TaskReader['listTasks']>>) {
  return {
    tasks: page.tasks.map((task) => toTask(task, { inList: true })),
    next_cursor: page.nextCursor,
    total: page.total,
    total_exact: page.totalExact,
    ...(page.scanned !== null && { scanned: page.scanned }),
  };
}

/** The header is the same as the field; where both are given they must agree. */
function withKeyOfHeader(body: SubmitTask, header: string | null): SubmitTask {
  if (header === null) return body;
  const parsed = parseSent(IdempotencyKey, header);
  if (!parsed.success) throw invalid(fieldErrors(parsed.error, 'Idempotency-Key'));
  if (body.idempotency_key != null && body.idempotency_key !== header) {
    throw invalid([{ path: 'idempotency_key', message: 'differs from the header Idempotency-Key' }]);
  }
  return { ...body, idempotency_key: header };
}

function toPatch(body: PatchTask): TaskPatch {
  const payload = body.payload === undefined ? undefined : payloadText(body.payload);
  return {
    ...(body.name !== undefined && { name: body.name || null }),
    ...(body.priority !== undefined && { priority: body.priority }),
    ...(body.run_at !== undefined && { runAt: body.run_at === null ? null : Date.parse(body.run_at) }),
    ...(payload !== undefined && { payload }),
    ...(body.tags !== undefined && { tags: body.tags }),
    ...(body.max_retries !== undefined && { maxRetries: body.max_retries }),
  };
}
