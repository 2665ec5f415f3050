/** Tells the directory every two seconds that this worker lives, and what it does; brings back the commands given to it. */
import type { WorkerBeat, WorkerCommand, WorkerDirectory } from '#queue/engine/ports';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import type { Service } from '#queue/kernel/service';

export const BEAT_EVERY_MS = 2_000;

export interface HeartbeatDeps {
  directory: Pick<WorkerDirectory, 'beat' | 'goodbye' | 'announceTypes'>;
  clock: Clock;
  log: Log;
  /** The worker as it is now. */
  current: () => WorkerBeat;
  /** Handed the same beat, for the thread that repeats it while this loop is blocked. */
  onBeat: (beat: WorkerBeat) => void;
  onCommand: (command: WorkerCommand) => void;
  /** Makes the task types known; called first, and again after an outage, when the store may be another. */
  announce: () => Promise<void>;
}

export class Heartbeat implements Service {
  readonly name = 'heartbeat';
  readonly #deps: HeartbeatDeps;
  readonly #stopping = new AbortController();
  #now = new AbortController();
  #hurried = false;
  #loop: Promise<void> | undefined;
  #failing = false;

  constructor(deps: HeartbeatDeps) {
    this.#deps = deps;
  }

  /** The worker is in the directory when it resolves. @throws what the directory throws */
  async start(): Promise<void> {
    if (this.#loop !== undefined) return;
    await this.#deps.announce();
    await this.#beat();
    this.#loop = this.#run(this.#stopping.signal);
  }

  /** Takes the worker out of the directory, as far as Redis answers. */
  async stop(): Promise<void> {
    const started = this.#loop !== undefined;
    this.#stopping.abort();
    this.#now.abort();
    await this.#loop;
    if (!started) return;
    this.#loop = undefined;
    await this.#deps.directory.goodbye(this.#deps.current()).catch((error: unknown) => {
      this.#deps.log.warn('the worker could not say goodbye; it is forgotten in a while', { error });
    });
  }

  /** Beats at once: the state has changed. */
  hurry(): void {
    this.#hurried = true; // also while a beat with the old state is on its way
    this.#now.abort();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    while (!signal.aborted) {
      this.#now = new AbortController();
      if (!this.#hurried) await clock.sleep(BEAT_EVERY_MS, this.#now.signal);
      if (signal.aborted) return;
      this.#hurried = false;
      try {
        if (this.#failing) await this.#deps.announce();
        await this.#beat();
        this.#failing = false;
      } catch (error) {
        if (!this.#failing) log.warn('the heartbeat could not be sent; tried again', { error });
        this.#failing = true;
      }
    }
  }

  async #beat(): Promise<void> {
    const { directory, current, onBeat, onCommand } = this.#deps;
    const beat = current();
    onBeat(beat);
    for (const command of await directory.beat(beat)) onCommand(command);
  }
}
