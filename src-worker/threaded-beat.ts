/**
 * The main thread's end of the lease thread: starts it, starts it again when it dies, and passes messages. The leases
 * themselves lie in shared memory, so a new thread goes on where the old one ended.
 */
import { Worker as Thread } from 'node:worker_threads';
import type { WorkerBeat } from '#queue/engine/ports';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import type { LeaseBeatEvents } from './lease-beat';
import type { BeatRunner } from './lease-keeper';
import { FromLeaseThread, type LeaseThreadData, type ToLeaseThread } from './lease-messages';

const RESTART_MS = 200;
const RESTART_MAX_MS = 5_000;
const STOP_MS = 2_000;

export interface ThreadedBeatDeps {
  /** The built entry src-worker/lease-entry.ts. */
  path: string;
  data: LeaseThreadData;
  clock: Clock;
  log: Log;
}

export class ThreadedBeat implements BeatRunner {
  readonly #deps: ThreadedBeatDeps;
  readonly #stopping = new AbortController();
  #thread: Thread | undefined;
  #restartMs = RESTART_MS;
  #lastBeat: WorkerBeat | undefined;

  constructor(deps: ThreadedBeatDeps) {
    this.#deps = deps;
  }

  /** Ready when the thread is connected. @throws where the first thread ends before that */
  async start(events: LeaseBeatEvents): Promise<void> {
    await this.#spawn(events);
  }

  post(worker: WorkerBeat): void {
    this.#lastBeat = worker;
    this.#say({ type: 'worker', worker });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const thread = this.#thread;
    if (thread === undefined) return;
    const ended = new AbortController();
    thread.once('exit', () => ended.abort());
    this.#say({ type: 'stop' });
    await this.#deps.clock.sleep(STOP_MS, ended.signal);
    await thread.terminate();
  }

  #say(message: ToLeaseThread): void {
    this.#thread?.postMessage(message);
  }

  #spawn(events: LeaseBeatEvents): Promise<void> {
    const { path, data, log } = this.#deps;
    const thread = new Thread(path, { workerData: data, name: 'millrace-leases' });
    this.#thread = thread;
    return new Promise((ready, failed) => {
      let cause: unknown;
      thread.on('message', (message: unknown) => {
        const said = FromLeaseThread.parse(message);
        if (said.type === 'lost') events.lost(said.leases);
        else if (said.type === 'cancel') events.cancelRequested(said.leases);
        else if (said.type === 'command') events.command(said.command);
        else {
          this.#restartMs = RESTART_MS;
          if (this.#lastBeat !== undefined) this.post(this.#lastBeat);
          ready();
        }
      });
      thread.on('error', (error) => {
        cause = error;
      });
      thread.on('exit', (code) => {
        this.#thread = undefined;
        failed(new Error(`the lease thread ended with code ${code}`, { cause }));
        if (this.#stopping.signal.aborted) return;
        log.error('the lease thread has ended; it is started again', { error: cause, code });
        void this.#restart(events);
      });
    });
  }

  async #restart(events: LeaseBeatEvents): Promise<void> {
    await this.#deps.clock.sleep(this.#restartMs, this.#stopping.signal);
    if (this.#stopping.signal.aborted) return;
    this.#restartMs = Math.min(this.#restartMs * 2, RESTART_MAX_MS);
    this.#spawn(events).catch(() => undefined); // its exit is logged, and leads here again
  }
}
