/**
 * One worker process: a fork of the worker program, watched from its start to its exit.
 *
 * Its configuration travels in its environment, never in its arguments, which everyone on the machine may read. It has
 * ended, and its output is read, when `exited` resolves; that never rejects, a fork that fails counts as an exit.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { Log } from '#queue/kernel/log';
import { ChildMessage, type RunningTask } from './child-messages';
import { LineCutter } from './output-tail';

const WORKER_CONFIG_VARIABLE = 'MILLRACE_WORKER_CONFIG';
const DRAIN_MS = 500;
/** A worker that computes hears of it between two turns of its loop. */
const DETACH_MS = 10_000;

/** How worker processes are started; the same for all pools of a process. */
export interface WorkerProgram {
  /** Path of the worker program (out/main/worker.js). */
  entry: string;
  env: NodeJS.ProcessEnv;
  /** The program to run it with; default: what runs us. Under Electron that is Electron, told to be Node. */
  execPath?: string;
}

export interface ProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Set where the process could not be started. */
  failure: string | null;
}

export interface ProcessEvents {
  onReady(workerId: string): void;
  onLine(line: string): void;
}

export class WorkerProcess {
  readonly exited: Promise<ProcessExit>;
  readonly #child: ChildProcess;
  #running: readonly RunningTask[] = [];
  #ended = false;
  #onDetached: () => void = () => undefined;

  /** Forks at once. */
  constructor(program: WorkerProgram, config: unknown, events: ProcessEvents, log: Log) {
    const child = fork(program.entry, [], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
      env: { ...program.env, ELECTRON_RUN_AS_NODE: '1', [WORKER_CONFIG_VARIABLE]: JSON.stringify(config) },
      ...(program.execPath === undefined ? {} : { execPath: program.execPath }),
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      const cutter = new LineCutter(events.onLine);
      stream.setEncoding('utf8').on('data', (chunk: string) => cutter.push(chunk));
      stream.on('end', () => cutter.end());
      stream.on('error', (error) => log.debug('output of a worker process was cut off', { error }));
    }
    child.on('message', (message) => {
      const parsed = ChildMessage.safeParse(message);
      if (!parsed.success) log.warn('a worker process sent a message that cannot be read', { worker_pid: child.pid });
      else if (parsed.data.type === 'ready') events.onReady(parsed.data.workerId);
      else if (parsed.data.type === 'running') this.#running = parsed.data.tasks;
      else this.#onDetached();
    });
    this.exited = this.#watch(log);
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** What it ran when it last told, at most a moment ago. */
  get running(): readonly RunningTask[] {
    return this.#running;
  }

  #watch(log: Log): Promise<ProcessExit> {
    const child = this.#child;
    return new Promise((resolve) => {
      child.once('error', (error) => {
        if (child.pid !== undefined)
          return log.warn('a worker process could not be reached', { worker_pid: child.pid, error });
        this.#ended = true;
        resolve({ code: null, signal: null, failure: error.message });
      });
      child.once('exit', (code, signal) => {
        this.#ended = true;
        const done = () => {
          clearTimeout(timer);
          child.stdout?.destroy();
          child.stderr?.destroy();
          resolve({ code, signal, failure: null });
        };
        // The last lines, which often say why, come between `exit` and `close`. A program that it started and left
        // behind can hold the pipes open for ever: then we do not wait.
        const timer = setTimeout(done, DRAIN_MS);
        child.once('close', done);
      });
    });
  }

  /** Lets go of it: it runs on when this process ends. @returns whether it has agreed */
  async detach(): Promise<boolean> {
    const child = this.#child;
    if (this.#ended || !child.connected) return false;
    const agreed = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), DETACH_MS);
      const answer = (yes: boolean) => {
        clearTimeout(timer);
        resolve(yes);
      };
      this.#onDetached = () => answer(true);
      child.once('exit', () => answer(false));
      child.send({ type: 'detach' }, (error) => error && answer(false));
    });
    if (!agreed) return false;
    child.stdout?.destroy();
    child.stderr?.destroy();
    if (child.connected) child.disconnect();
    child.unref();
    return true;
  }

  /** Does nothing once it has ended: its pid may be somebody else's by then. */
  signal(name: NodeJS.Signals): void {
    if (!this.#ended) this.#child.kill(name);
  }
}
