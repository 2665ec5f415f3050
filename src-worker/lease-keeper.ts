/**
 * The worker's side of its leases: what is held from the claim until the settle is answered, and what to do when the
 * keeping of them brings news. The extending itself is done by a LeaseBeat elsewhere: see BeatRunner.
 */
import type { ClaimedTask, LeaseRef, WorkerBeat, WorkerCommand } from '#queue/engine/ports';
import type { Clock } from '#queue/kernel/clock';
import type { Service } from '#queue/kernel/service';
import type { HeldTable } from './held-table';
import type { LeaseBeatEvents } from './lease-beat';

/** Well below what counts as blocked. */
const TICK_MS = 500;

/** Where the LeaseBeat runs: in a thread, or, in tests, in line. */
export interface BeatRunner {
  start(events: LeaseBeatEvents): Promise<void>;
  /** The worker's newest heartbeat, to be repeated while it is blocked. */
  post(worker: WorkerBeat): void;
  stop(): Promise<void>;
}

export interface LeaseKeeperDeps {
  table: HeldTable;
  runner: BeatRunner;
  clock: Clock;
  /** Called only for leases that are still held. */
  onLost: (lease: LeaseRef) => void;
  onCancelRequested: (lease: LeaseRef) => void;
  onCommand: (command: WorkerCommand) => void;
}

export class LeaseKeeper implements Service {
  readonly name = 'lease-keeper';
  readonly #deps: LeaseKeeperDeps;
  readonly #stopping = new AbortController();
  #ticking: Promise<void> | undefined;

  constructor(deps: LeaseKeeperDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    if (this.#ticking !== undefined) return;
    this.#ticking = this.#tick(this.#stopping.signal);
    const { table, runner, onLost, onCancelRequested, onCommand } = this.#deps;
    await runner.start({
      lost: (leases) => {
        for (const lease of leases) {
          if (!table.holds(lease.token)) continue; // settled in the meantime
          table.remove(lease.token);
          onLost(lease);
        }
      },
      cancelRequested: (leases) => {
        for (const lease of leases) if (table.holds(lease.token)) onCancelRequested(lease);
      },
      command: onCommand,
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ticking;
    await this.#deps.runner.stop();
  }

  /** Leases that can still be held. */
  get room(): number {
    return this.#deps.table.room;
  }

  hold({ queue, id, token }: ClaimedTask): void {
    this.#deps.table.add({ queue, id, token });
  }

  drop(token: string): void {
    this.#deps.table.remove(token);
  }

  post(worker: WorkerBeat): void {
    this.#deps.runner.post(worker);
  }

  async #tick(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#deps.table.tick();
      await this.#deps.clock.sleep(TICK_MS, signal);
    }
  }
}
