/**
 * One execution of a task: runs the handler, tells it to stop, and reports exactly once how it ended.
 *
 * The first of these decides: the handler returns or throws; the signal fired and the grace is over; an exception that
 * nobody caught was traced to it. After that the slot is free, whatever the handler's code still does: what it reports
 * then is dropped, and how it ends is only logged.
 */
import type { ClaimedTask, Settle } from '#queue/engine/ports';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import { TimeoutError } from './abort-reasons';
import type { Deadline, Deadlines } from './deadlines';
import { endingOf, type HandlerOutcome } from './ending';
import { describeThrown } from './error-report';
import type { Artifacts, TaskAccess } from './handler';
import { type ContextSource, handlerContext } from './handler-context';
import { readPayload } from './json-edges';
import type { Recorder } from './recorder';
import type { TaskHandler } from './registry';

/** What all attempts of a worker share. */
export interface AttemptDeps {
  deadlines: Deadlines;
  clock: Clock;
  log: Log;
  random: () => number;
  /** How long the handler may go on after its signal fired, ms. */
  graceMs: number;
  artifactsFor: (task: ClaimedTask, signal: AbortSignal) => Artifacts;
  tasksFor: (task: ClaimedTask) => TaskAccess;
  /** Called once. `settle` is null where nothing may be recorded. */
  onEnd: (attempt: Attempt, settle: Settle | null) => void;
}

export class Attempt implements ContextSource {
  readonly task: ClaimedTask;
  readonly recorder: Recorder;
  readonly startedAt: number;
  readonly timeoutMs: number;
  readonly #begunMs: number;
  readonly #deps: AttemptDeps;
  readonly #handler: TaskHandler;
  #controller: AbortController | undefined;
  #reason: Error | null = null;
  #timer: Deadline | undefined;
  #ended = false;

  constructor(deps: AttemptDeps, task: ClaimedTask, handler: TaskHandler, recorder: Recorder) {
    this.#deps = deps;
    this.#handler = handler;
    this.task = task;
    this.recorder = recorder;
    this.startedAt = deps.clock.now();
    this.#begunMs = deps.clock.monotonic();
    this.timeoutMs = Math.min(task.timeoutMs, handler.timeoutMs ?? Number.POSITIVE_INFINITY);
  }

  /** From its start to this moment. */
  get ranMs(): number {
    return this.#deps.clock.monotonic() - this.#begunMs;
  }

  /** Why the signal has fired; null where it has not. */
  get reason(): Error | null {
    return this.#reason;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== null) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get artifacts(): Artifacts {
    return this.#deps.artifactsFor(this.task, this.signal);
  }

  get tasks(): TaskAccess {
    return this.#deps.tasksFor(this.task);
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Never throws, never rejects. */
  start(): void {
    this.#timer = this.#deps.deadlines.after(this.timeoutMs, () => this.abort(new TimeoutError(this.timeoutMs)));
    void this.#run();
  }

  /** Fires the handler's signal; the first reason counts. The attempt ends at the latest when the grace is over. */
  abort(reason: Error, graceMs = this.#deps.graceMs): void {
    if (this.#ended || this.#reason !== null) return;
    this.#reason = reason;
    this.#timer?.cancel();
    this.#controller?.abort(reason);
    if (this.#ended) return; // a listener of the handler ended it at once
    this.#timer = this.#deps.deadlines.after(graceMs, () => {
      this.#deps.log.warn(
        'the handler does not end though its signal fired; its slot is free, its outcome will not count',
        {
          taskId: this.task.id,
          taskType: this.task.type,
          reason: reason.name,
        },
      );
      this.#end({ kind: 'silent' });
    });
  }

  /** An exception that nobody caught came from the handler: the attempt fails with it, at once. */
  crash(error: unknown): void {
    this.#end({ kind: 'threw', error });
    if (this.#reason === null) {
      this.#reason = new Error('the attempt failed: an exception was not caught', { cause: error });
      this.#controller?.abort(this.#reason);
    }
  }

  async #run(): Promise<void> {
    const handler = this.#handler;
    let outcome: HandlerOutcome;
    // The stack of what a handler throws begins with the handler, not with the way that its task came: that is shorter to
    // read, to make and to store.
    await Promise.resolve();
    try {
      const read = readPayload(this.task.payload, handler.schema);
      const payload = 'value' in read ? read.value : await read.later;
      outcome = { kind: 'returned', value: await handler.run(handlerContext(this, payload)) };
    } catch (error) {
      outcome = { kind: 'threw', error };
    }
    this.#end(outcome);
  }

  #end(outcome: HandlerOutcome): void {
    if (this.#ended) {
      this.#late(outcome);
      return;
    }
    this.#ended = true;
    this.#timer?.cancel();
    const settle = endingOf({
      task: this.task,
      outcome,
      reason: this.#reason,
      progress: this.recorder.percent,
      progressMessage: this.recorder.message,
      random: this.#deps.random(),
    });
    this.#deps.onEnd(this, settle);
  }

  #late(outcome: HandlerOutcome): void {
    const { log } = this.#deps;
    const of = { taskId: this.task.id, taskType: this.task.type };
    if (outcome.kind === 'threw' && outcome.error !== this.#reason) {
      log.warn('a handler threw after its attempt had ended', { ...of, thrown: describeThrown(outcome.error) });
    } else log.debug('a handler ended after its attempt', of);
  }
}
