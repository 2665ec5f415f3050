/**
 * Snapshots shared by all who wait for one. A snapshot is good for a client only when its reading began after the
 * client took its position, so those who come while one is being read share the next.
 */
import type { Operation } from '#queue/contract/operation';
import type { Queue, StatsOverview } from '#queue/contract/queue';
import type { SystemState } from '#queue/contract/session';
import type { Task } from '#queue/contract/task';
import type { Worker } from '#queue/contract/worker';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';

export interface Snapshot {
  stats: StatsOverview;
  queues: Queue[];
  workers: Worker[];
  /** The newest 50. */
  tasks: Task[];
  /** Those that have not ended, newest first. */
  operations: Operation[];
  system: SystemState;
}

const RETRY_MS = 1000;

export class SnapshotSource {
  readonly #read: () => Promise<Snapshot>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #signal: AbortSignal;
  #reading: Promise<string | null> | undefined;
  #next: Promise<string | null> | undefined;

  constructor(deps: { read: () => Promise<Snapshot>; clock: Clock; log: Log; signal: AbortSignal }) {
    this.#read = deps.read;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#signal = deps.signal;
  }

  /**
   * Reads again every second until it succeeds: while Redis is away, clients wait.
   * @returns the snapshot's JSON from its first key after `seq` on; null when the server stops. Never rejects.
   */
  take(): Promise<string | null> {
    if (this.#reading === undefined) {
      this.#reading = this.#run().finally(() => {
        this.#reading = undefined;
      });
      return this.#reading;
    }
    this.#next ??= this.#reading.then(() => {
      this.#next = undefined;
      return this.take();
    });
    return this.#next;
  }

  async #run(): Promise<string | null> {
    while (!this.#signal.aborted) {
      try {
        const { stats, queues, workers, tasks, operations, system } = await this.#read();
        return JSON.stringify({ stats, queues, workers, tasks, operations, system }).slice(1);
      } catch (error) {
        this.#log.warn('could not read a snapshot for the event stream', { error });
        await this.#clock.sleep(RETRY_MS, this.#signal);
      }
    }
    return null;
  }
}
