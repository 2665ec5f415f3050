/**
 * One place in a pool: keeps a worker process in it. A process that ends unasked is started again, after a pause
 * drawn by lot that grows with every end in a row, so that a fault that kills workers at once does not become a storm.
 */

import type { z } from 'zod';
import { isoTimeOrNull } from '#queue/contract/primitives';
import type { PoolProcess } from '#queue/contract/worker';
import { type BackoffSpec, backoffDelayMs } from '#queue/kernel/backoff';
import type { Clock } from '#queue/kernel/clock';
import { randomName } from '#queue/kernel/ids';
import type { Log } from '#queue/kernel/log';
import type { RunningTask } from './child-messages';
import { type ProcessExit, WorkerProcess, type WorkerProgram } from './worker-process';

export const RESTART_BACKOFF: BackoffSpec = { type: 'exponential', baseMs: 500, maxMs: 30_000, jitter: 1 };
/** A process that has run so long starts the count of ends in a row anew. */
export const STEADY_AFTER_MS = 60_000;
/** On top of the worker's own time-out, before it is killed. */
export const KILL_GRACE_MS = 5_000;

export type MemberState = z.infer<typeof PoolProcess>['state'];

export interface MemberEnd extends ProcessExit {
  workerId: string;
  running: readonly RunningTask[];
}

export interface MemberDeps {
  program: WorkerProgram;
  /** Configuration of a new process, which is to call itself `workerId`. */
  config: (workerId: string) => unknown;
  shutdownTimeoutMs: number;
  clock: Clock;
  log: Log;
  /** Evenly in [0, 1). */
  random: () => number;
  onLine: (line: string, workerId: string) => void;
  /** An end that nobody asked for. */
  onUnaskedEnd: (end: MemberEnd) => void;
}

export class PoolMember {
  readonly #deps: MemberDeps;
  readonly #stopping = new AbortController();
  #process: WorkerProcess | null = null;
  #state: MemberState = 'starting';
  #workerId = '';
  #restarts = 0;
  #endsInARow = 0;
  #startedAt: number | null = null;
  #loop: Promise<void> | undefined;
  /** Resolves when its first process serves, or has ended before it did. */
  readonly firstStart: Promise<boolean>;
  #tellFirstStart: (serves: boolean) => void = () => undefined;

  constructor(deps: MemberDeps) {
    this.#deps = deps;
    this.firstStart = new Promise((resolve) => {
      this.#tellFirstStart = resolve;
    });
  }

  start(): void {
    this.#loop ??= this.#run(this.#stopping.signal);
  }

  /** Resolves when its process has ended: gracefully, or killed `KILL_GRACE_MS` after its time was up. */
  async stop(): Promise<void> {
    if (!this.#stopping.signal.aborted) {
      this.#stopping.abort();
      this.#state = 'stopping';
      this.#process?.signal('SIGTERM');
      void this.#killWhenLate();
    }
    await this.#loop;
  }

  /** Ends it now; its tasks come back when their leases end. */
  async kill(): Promise<void> {
    const stopped = this.stop();
    this.#process?.signal('SIGKILL');
    await stopped;
  }

  /** Lets go of its process, which runs on without us. @returns its pid; null where it had to be stopped instead */
  async detach(): Promise<number | null> {
    const process = this.#process;
    const detached = this.#state !== 'starting' && (await process?.detach());
    if (!process || !detached) {
      await this.stop();
      return null;
    }
    this.#stopping.abort(); // its end will start no other
    this.#state = 'stopping';
    return process.pid;
  }

  /** It takes no new tasks. One that does not listen yet starts with nothing anyway and is left alone. */
  quiet(): void {
    if (this.#state === 'running') this.#process?.signal('SIGUSR1');
  }

  get stopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Of its present process, or of the last one. */
  get workerId(): string {
    return this.#workerId;
  }

  get runningTasks(): number {
    return this.#process?.running.length ?? 0;
  }

  view(): z.infer<typeof PoolProcess> {
    return {
      pid: this.#process?.pid ?? null,
      worker_id: this.#workerId,
      state: this.#state,
      restarts: this.#restarts,
      started_at: isoTimeOrNull(this.#startedAt),
    };
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    while (!signal.aborted) {
      const since = clock.monotonic();
      await this.#runOnce();
      if (signal.aborted) return;
      if (clock.monotonic() - since >= STEADY_AFTER_MS) this.#endsInARow = 0;
      this.#endsInARow++;
      this.#state = 'waiting';
      await clock.sleep(backoffDelayMs(RESTART_BACKOFF, this.#endsInARow, random()), signal);
      this.#restarts++;
    }
  }

  async #runOnce(): Promise<void> {
    const { program, config, clock, log, onLine, onUnaskedEnd } = this.#deps;
    this.#state = 'starting';
    this.#startedAt = clock.now();
    this.#workerId = randomName('w');
    const onReady = (workerId: string) => {
      this.#workerId = workerId;
      if (!this.stopping) this.#state = 'running';
      this.#tellFirstStart(true);
    };
    const events = { onReady, onLine: (line: string) => onLine(line, this.#workerId) };
    const process = new WorkerProcess(program, config(this.#workerId), events, log);
    this.#process = process;
    log.info('worker process started', { worker: this.#workerId, worker_pid: process.pid });
    const exit = await process.exited;
    this.#tellFirstStart(false);
    this.#process = null;
    this.#startedAt = null;
    if (this.stopping) return;
    const { running } = process;
    if (exit.code === 0 && running.length === 0) {
      log.info('a worker process ended by itself and is started again', { worker: this.#workerId });
    } else {
      onUnaskedEnd({ ...exit, workerId: this.#workerId, running });
    }
  }

  async #killWhenLate(): Promise<void> {
    const { clock, shutdownTimeoutMs, log } = this.#deps;
    const ended = new AbortController();
    void this.#loop?.finally(() => ended.abort());
    await clock.sleep(shutdownTimeoutMs + KILL_GRACE_MS, ended.signal);
    if (ended.signal.aborted || !this.#process) return;
    log.warn('a worker process did not stop in time and is killed', {
      worker: this.#workerId,
      worker_pid: this.#process.pid,
    });
    this.#process.signal('SIGKILL');
  }
}
