/**
 * Progress and log lines on their way from handlers to the engine. They are gathered and sent a few times a second
 * for all tasks together, so that a handler may report as often as it likes; the newest progress wins. When an attempt
 * ends, what it still has to say is sent at once, before its settle, as the engine takes nothing from it afterwards.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { LIMITS } from '#queue/contract/limits';
import type { AttemptReport, ClaimedTask, LeaseRef, TaskEngine } from '#queue/engine/ports';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import { Recorder } from './recorder';

const FLUSH_EVERY_MS = 250;
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 2_000;

export interface ReporterDeps {
  engine: Pick<TaskEngine, 'report'>;
  clock: Clock;
  log: Log;
  /** How long an ended attempt waits for its last lines to be taken, when Redis does not answer. */
  giveUpMs: number;
  onLost: (lease: LeaseRef) => void;
}

export class Reporter {
  readonly #deps: ReporterDeps;
  readonly #dirty = new Set<Recorder>();
  readonly #closing = new Map<Recorder, { done: () => void; until: number }>();
  #running = false;
  #flushedAt = Number.NEGATIVE_INFINITY;
  #retryMs = 0;
  #hurry = new AbortController();

  constructor(deps: ReporterDeps) {
    this.#deps = deps;
  }

  open(task: ClaimedTask): Recorder {
    return new Recorder(task, this.#deps.clock, (recorder) => {
      this.#dirty.add(recorder);
      this.#kick();
    });
  }

  /** Ends the recorder. @returns null where all of it is sent already, else when it is sent, or given up */
  close(recorder: Recorder): Promise<void> | null {
    recorder.close();
    if (!recorder.hasNews && !recorder.isBeingSent) return null;
    return new Promise((done) => {
      this.#closing.set(recorder, { done, until: this.#deps.clock.monotonic() + this.#deps.giveUpMs });
      this.#dirty.add(recorder);
      this.#hurry.abort();
      this.#kick();
    });
  }

  /** Nothing more of it is sent: its lease is lost. */
  forget(recorder: Recorder): void {
    recorder.close();
    this.#dirty.delete(recorder);
    this.#finish(recorder);
  }

  #kick(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    const { clock } = this.#deps;
    while (this.#dirty.size > 0) {
      this.#hurry = new AbortController();
      const waitMs = this.#retryMs > 0 ? this.#retryMs : this.#flushedAt + FLUSH_EVERY_MS - clock.monotonic();
      if (this.#retryMs > 0) await clock.sleep(waitMs);
      else if (this.#closing.size === 0 && waitMs > 0) await clock.sleep(waitMs, this.#hurry.signal);
      await turn(); // attempts that end in the same turn travel together
      this.#flushedAt = clock.monotonic();
      await this.#flush();
    }
    this.#running = false;
  }

  async #flush(): Promise<void> {
    const byQueue = new Map<string, Recorder[]>();
    for (const recorder of this.#dirty) {
      const batch = byQueue.get(recorder.queue);
      if (batch === undefined) byQueue.set(recorder.queue, [recorder]);
      else if (batch.length < LIMITS.sweepBatch) batch.push(recorder);
    }
    const outcomes = await Promise.all([...byQueue].map(([queue, recorders]) => this.#send(queue, recorders)));
    this.#retryMs = outcomes.every(Boolean) ? 0 : Math.min(Math.max(RETRY_FIRST_MS, this.#retryMs * 2), RETRY_MAX_MS);
  }

  async #send(queue: string, recorders: readonly Recorder[]): Promise<boolean> {
    for (const recorder of recorders) this.#dirty.delete(recorder);
    const reports: AttemptReport[] = [];
    for (const recorder of recorders) if (recorder.hasNews) reports.push(recorder.take());
    try {
      const lost = new Set(reports.length === 0 ? [] : await this.#deps.engine.report(queue, reports));
      for (const recorder of recorders) {
        recorder.sent();
        if (lost.has(recorder.lease.id)) {
          this.forget(recorder);
          this.#deps.onLost(recorder.lease);
        } else if (recorder.hasNews) this.#dirty.add(recorder);
        else this.#finish(recorder);
      }
      return true;
    } catch (error) {
      if (this.#retryMs === 0)
        this.#deps.log.warn('progress and logs could not be sent; tried again', { queue, error });
      for (const recorder of recorders) this.#keep(recorder);
      return false;
    }
  }

  /** After a call that failed. Reports may be repeated: progress never goes back, a doubled log line does no harm. */
  #keep(recorder: Recorder): void {
    recorder.putBack();
    const closing = this.#closing.get(recorder);
    if (closing !== undefined && closing.until <= this.#deps.clock.monotonic()) {
      this.#deps.log.warn('the last progress and logs of a task were given up', { taskId: recorder.lease.id });
      this.forget(recorder);
    } else this.#dirty.add(recorder);
  }

  #finish(recorder: Recorder): void {
    this.#closing.get(recorder)?.done();
    this.#closing.delete(recorder);
  }
}
