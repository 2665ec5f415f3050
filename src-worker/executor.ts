/** Starts attempts, knows those that run, and traces exceptions that nobody caught back to them. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ClaimedTask, Settle } from '#queue/engine/ports';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import { Attempt, type AttemptDeps } from './attempt';
import { Deadlines } from './deadlines';
import { describeThrown } from './error-report';
import type { Registry, TaskHandler } from './registry';
import type { Reporter } from './reporter';

export interface ExecutorDeps extends Pick<AttemptDeps, 'random' | 'graceMs' | 'artifactsFor' | 'tasksFor'> {
  registry: Registry;
  reporter: Reporter;
  clock: Clock;
  log: Log;
  /** The slot of the attempt is free. Called once for each started task; `settle` is null where the lease was lost. */
  onEnd: (attempt: Attempt, settle: Settle | null) => void;
}

export class Executor {
  readonly #deps: ExecutorDeps;
  readonly #deadlines: Deadlines;
  /** The same for every attempt: made once, so that a short task costs as few objects as can be. */
  readonly #attemptDeps: AttemptDeps;
  readonly #running = new Map<string, Attempt>();
  readonly #current = new AsyncLocalStorage<Attempt>();

  constructor(deps: ExecutorDeps) {
    this.#deps = deps;
    this.#deadlines = new Deadlines(deps.clock);
    const { clock, log, random, graceMs, artifactsFor, tasksFor, onEnd } = deps;
    this.#attemptDeps = {
      clock,
      log,
      random,
      graceMs,
      artifactsFor,
      tasksFor,
      deadlines: this.#deadlines,
      onEnd: (ended, settle) => {
        this.#running.delete(ended.task.token);
        onEnd(ended, settle);
      },
    };
  }

  /** Attempts whose slot is taken, oldest first. */
  get running(): readonly Attempt[] {
    return [...this.#running.values()];
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Time-outs and graces that are being watched: none but those of running attempts. */
  get watched(): number {
    return this.#deadlines.size;
  }

  start(task: ClaimedTask): void {
    const { registry, reporter } = this.#deps;
    const handler = registry.get(task.type) ?? handlerOfUnknown(task.type);
    const attempt = new Attempt(this.#attemptDeps, task, handler, reporter.open(task));
    this.#running.set(task.token, attempt);
    this.#current.run(attempt, startAttempt, attempt);
  }

  /** @returns false where no such attempt runs */
  abort(token: string, reason: Error): boolean {
    const attempt = this.#running.get(token);
    if (attempt === undefined) return false;
    this.#current.run(attempt, () => attempt.abort(reason)); // so that listeners that throw are traced, too
    return true;
  }

  abortAll(reason: Error, graceMs?: number): void {
    for (const attempt of this.running) this.#current.run(attempt, () => attempt.abort(reason, graceMs));
  }

  /**
   * Lays an exception that nobody caught at the door of the attempt in whose course it arose.
   * Call it from the process-wide handlers only: they run in the context of the code that threw.
   * @returns false where it cannot be traced to one
   */
  blame(error: unknown): boolean {
    const attempt = this.#current.getStore();
    if (attempt === undefined) return false;
    const of = { taskId: attempt.task.id, taskType: attempt.task.type, thrown: describeThrown(error) };
    if (attempt.hasEnded) this.#deps.log.warn('an exception of a task that has ended was not caught', of);
    else {
      this.#deps.log.warn('an exception of a running task was not caught: the attempt fails', of);
      attempt.crash(error);
    }
    return true;
  }

  close(): void {
    this.#deadlines.clear();
  }
}

const startAttempt = (attempt: Attempt): void => attempt.start();

/** The engine hands out tasks of our types only; should it ever not, the task says so instead of the worker. */
const handlerOfUnknown = (type: string): TaskHandler => ({
  type,
  aliases: [],
  description: null,
  schema: null,
  timeoutMs: null,
  source: 'none',
  run: () => {
    throw new Error(`this worker has no handler for task type "${type}"`);
  },
});
