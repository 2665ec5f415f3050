/** What a running handler is handed. Parts that many handlers do not use are made when they are asked for. */
import type { ClaimedTask } from '#queue/engine/ports';
import { logicalQueue } from '#queue/kernel/shard-name';
import type { Artifacts, HandlerContext, HandlerLog, RunningTask, TaskAccess } from './handler';
import type { Recorder } from './recorder';

/** The attempt, as its handler's context sees it. */
export interface ContextSource {
  readonly task: ClaimedTask;
  readonly recorder: Recorder;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Why the signal has fired; null where it has not. */
  readonly reason: Error | null;
  readonly artifacts: Artifacts;
  readonly tasks: TaskAccess;
}

export const handlerContext = (source: ContextSource, payload: unknown): HandlerContext<unknown> =>
  new Context(source, payload);

/** Handlers take it apart (`{ payload, progress }`), so what they call is bound; what they do not ask for is not made. */
class Context implements HandlerContext<unknown> {
  readonly payload: unknown;
  readonly #source: ContextSource;
  #progress: HandlerContext<unknown>['progress'] | undefined;
  #task: RunningTask | undefined;
  #log: HandlerLog | undefined;
  #artifacts: Artifacts | undefined;
  #tasks: TaskAccess | undefined;

  constructor(source: ContextSource, payload: unknown) {
    this.#source = source;
    this.payload = payload;
  }

  get progress(): HandlerContext<unknown>['progress'] {
    this.#progress ??= progressOf(this.#source);
    return this.#progress;
  }
  get task(): RunningTask {
    this.#task ??= runningTask(this.#source.task, this.#source.timeoutMs);
    return this.#task;
  }
  get log(): HandlerLog {
    this.#log ??= logOf(this.#source.recorder);
    return this.#log;
  }
  get signal(): AbortSignal {
    return this.#source.signal;
  }
  get artifacts(): Artifacts {
    this.#artifacts ??= this.#source.artifacts;
    return this.#artifacts;
  }
  get tasks(): TaskAccess {
    this.#tasks ??= this.#source.tasks;
    return this.#tasks;
  }
}

const progressOf =
  (source: ContextSource): HandlerContext<unknown>['progress'] =>
  async (percent, message) => {
    if (source.reason !== null) throw source.reason;
    source.recorder.progress(percent, message);
  };

const logOf = (recorder: Recorder): HandlerLog => ({
  debug: (message, fields) => recorder.log('debug', message, fields),
  info: (message, fields) => recorder.log('info', message, fields),
  warn: (message, fields) => recorder.log('warn', message, fields),
  error: (message, fields) => recorder.log('error', message, fields),
});

const runningTask = (task: ClaimedTask, timeoutMs: number): RunningTask => ({
  id: task.id,
  type: task.type,
  name: task.name,
  queue: logicalQueue(task.queue),
  priority: task.priority,
  attempt: task.attempt,
  maxAttempts: task.maxAttempts,
  createdAt: new Date(task.createdAt),
  tags: task.tags,
  owner: task.owner,
  timeout: timeoutMs / 1000,
});
