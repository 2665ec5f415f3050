/** The queue, as handlers may use it: what they submit goes through the same checks as a request over HTTP. */

import { LIMITS } from '#queue/contract/limits';
import { findPayloadFault } from '#queue/contract/payload';
import { type StatusCounts, sumCounts } from '#queue/contract/queue';
import { SubmitTask, type SubmitTaskInput } from '#queue/contract/task';
import type { TaskEngine, TaskReader, TaskSpec } from '#queue/engine/ports';
import { type ChildState, FatalError, type TaskAccess } from './handler';

export interface TaskDefaults {
  maxRetries: number;
  timeoutMs: number;
}

export interface TaskAccessDeps {
  engine: Pick<TaskEngine, 'submitMany' | 'cancel'>;
  reader: Pick<TaskReader, 'getTasks' | 'queueStates'>;
  /** `toTaskSpec` of the engine. */
  toSpec: (task: SubmitTask, defaults: TaskDefaults) => TaskSpec;
  defaults: TaskDefaults;
}

/** One for each execution. Tasks that it submits belong to the owner of the task that runs, unless they name another. */
export class TaskAccessOverPorts implements TaskAccess {
  readonly #deps: TaskAccessDeps;
  readonly #owner: string | null;

  constructor(deps: TaskAccessDeps, owner: string | null) {
    this.#deps = deps;
    this.#owner = owner;
  }

  async submit(tasks: readonly SubmitTaskInput[]): Promise<string[]> {
    const { engine, toSpec, defaults } = this.#deps;
    const specs = tasks.map((task, index) => toSpec(this.#checked(task, index), defaults));
    const outcomes = await engine.submitMany(specs);
    return outcomes.map((outcome, index) => {
      if (outcome.ok) return outcome.id;
      if (outcome.error.status >= 500 || outcome.error.status === 429) throw outcome.error;
      throw new FatalError(`task ${index} was refused: ${outcome.error.message}`, { cause: outcome.error });
    });
  }

  #checked(task: SubmitTaskInput, index: number): SubmitTask {
    const refuse = (path: string, message: string): never => {
      throw new FatalError(`task ${index} cannot be submitted: ${path} ${message}`);
    };
    const parsed = SubmitTask.safeParse(task);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      return refuse(issue?.path.join('.') ?? '', issue?.message ?? 'is not valid');
    }
    const fault = findPayloadFault(parsed.data.payload);
    if (fault !== null) refuse(fault.path, fault.message);
    const bytes = Buffer.byteLength(JSON.stringify(parsed.data.payload));
    if (bytes > LIMITS.payloadBytes) refuse('payload', `is ${bytes} bytes as JSON, at most ${LIMITS.payloadBytes}`);
    return { ...parsed.data, owner: parsed.data.owner ?? this.#owner };
  }

  async states(ids: readonly string[]): Promise<(ChildState | null)[]> {
    const tasks = await this.#deps.reader.getTasks(ids, { full: true });
    return tasks.map((task) =>
      task === null
        ? null
        : {
            id: task.id,
            status: task.status,
            result: task.result === null ? null : (JSON.parse(task.result) as unknown),
            error: task.error === null ? null : { name: task.error.name, message: task.error.message },
          },
    );
  }

  async cancel(ids: readonly string[], reason: string): Promise<void> {
    await this.#deps.engine.cancel(ids, reason);
  }

  async statistics(): Promise<{ total: StatusCounts; queues: Record<string, StatusCounts> }> {
    const states = await this.#deps.reader.queueStates();
    return {
      total: sumCounts(states.map(({ counts }) => counts)),
      queues: Object.fromEntries(states.map(({ name, counts }) => [name, counts])),
    };
  }
}
