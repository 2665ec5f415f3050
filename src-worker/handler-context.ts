/** What a running handler is handed. Parts that many handlers do not use are made when they are asked for. */
import type { ClaimedTask } from '#queue/engine/ports';
import type { Artifacts, HandlerContext, HandlerLog, RunningTask, TaskAccess } from './handler';
import type { Recorder } from './recorder';

export interface ContextSource {
  task: ClaimedTask;
  payload: unknown;
  recorder: Recorder;
  timeoutMs: number;
  signal: () => AbortSignal;
  /** Why the signal has fired; null where it has not. */
  reason: () => Error | null;
  artifactsFor: (task: ClaimedTask, signal: AbortSignal) => Artifacts;
  tasksFor: (task: ClaimedTask) => TaskAccess;
}

export function handlerContext(source: ContextSource): HandlerContext<unknown> {
  const { task, recorder } = source;
  let known: RunningTask | undefined;
  let log: HandlerLog | undefined;
  let artifacts: Artifacts | undefined;
  let tasks: TaskAccess | undefined;
  return {
    payload: source.payload,
    get task() {
      known ??= runningTask(task, source.timeoutMs);
      return known;
    },
    async progress(percent, message) {
      const why = source.reason();
      if (why !== null) throw why;
      recorder.progress(percent, message);
    },
    get log() {
      log ??= logOf(recorder);
      return log;
    },
    get signal() {
      return source.signal();
    },
    get artifacts() {
      artifacts ??= source.artifactsFor(task, source.signal());
      return artifacts;
    },
    get tasks() {
      tasks ??= source.tasksFor(task);
      return tasks;
    },
  };
}

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
  queue: task.queue,
  priority: task.priority,
  attempt: task.attempt,
  maxAttempts: task.maxAttempts,
  createdAt: new Date(task.createdAt),
  tags: task.tags,
  owner: task.owner,
  timeout: timeoutMs / 1000,
});
