/**
 * Keeps the leases of a worker: extends all of them every quarter of their length, at least once a second, in batches,
 * queue by queue. The answers tell of wishes to cancel; that is what the second is for. Nothing held, nothing asked.
 *
 * It runs beside the worker's event loop (src-worker/lease-thread.ts), so that a handler which computes without a
 * pause does not lose its task. For how long is declared: when the main loop has not turned for `maxBlockMs`, nothing
 * is extended any more, the leases run out, and other workers take the tasks. While the loop stands, the worker's
 * heartbeats go on from here, marked `blocked`.
 */
import { LIMITS } from '#queue/contract/limits';
import type { LeaseRef, TaskEngine, WorkerBeat, WorkerCommand, WorkerDirectory } from '#queue/engine/ports';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import type { Service } from '#queue/kernel/service';
import type { HeldLease, HeldView } from './held-table';

/** Longest pause between two beats: how long a wish to cancel may go unheard. */
const BEAT_MAX_MS = 1_000;
/** The loop has stood for so long that people should see it. */
const BLOCKED_MS = 4_000;

export interface LeaseBeatEvents {
  lost(leases: readonly LeaseRef[]): void;
  /** Repeated with every beat until the attempt is settled. */
  cancelRequested(leases: readonly LeaseRef[]): void;
  command(command: WorkerCommand): void;
}

export interface LeaseBeatDeps {
  engine: Pick<TaskEngine, 'extend'>;
  directory: Pick<WorkerDirectory, 'beat'>;
  view: HeldView;
  clock: Clock;
  log: Log;
  leaseMs: number;
  maxBlockMs: number;
  events: LeaseBeatEvents;
}

export class LeaseBeat implements Service {
  readonly name = 'lease-beat';
  readonly #deps: LeaseBeatDeps;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;
  #turns = -1;
  #turnedAt = 0;
  #worker: WorkerBeat | null = null;
  #failing = false;
  #gaveUp = false;

  constructor(deps: LeaseBeatDeps) {
    this.#deps = deps;
  }

  /** The worker's last heartbeat, to be repeated while it cannot send one itself. */
  set worker(beat: WorkerBeat) {
    this.#worker = beat;
  }

  async start(): Promise<void> {
    this.#turnedAt = this.#deps.clock.monotonic();
    this.#loop ??= this.#run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, leaseMs } = this.#deps;
    const everyMs = Math.min(leaseMs / 4, BEAT_MAX_MS);
    while (!signal.aborted) {
      await clock.sleep(everyMs, signal);
      if (signal.aborted) return;
      const blockedMs = this.#blockedMs();
      if (this.#mayExtend(blockedMs)) await this.#extendAll();
      if (blockedMs >= BLOCKED_MS) await this.#beatForWorker();
    }
  }

  #blockedMs(): number {
    const now = this.#deps.clock.monotonic();
    const turns = this.#deps.view.turns();
    if (turns !== this.#turns) {
      this.#turns = turns;
      this.#turnedAt = now;
    }
    return now - this.#turnedAt;
  }

  #mayExtend(blockedMs: number): boolean {
    const { maxBlockMs, log } = this.#deps;
    const givesUp = blockedMs > maxBlockMs;
    if (givesUp && !this.#gaveUp) {
      log.error('the event loop has been blocked for too long: its leases are not extended any more', {
        blockedMs,
        maxBlockMs,
      });
    }
    this.#gaveUp = givesUp;
    return !givesUp;
  }

  async #extendAll(): Promise<void> {
    const { view, engine, leaseMs, log, clock } = this.#deps;
    try {
      await Promise.all(
        batches(view.leases()).map(async ({ queue, leases }) =>
          this.#tell(leases, await engine.extend(queue, leases, leaseMs)),
        ),
      );
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) log.warn('leases could not be extended; tried again', { error, at: clock.now() });
      this.#failing = true;
    }
  }

  #tell(leases: readonly LeaseRef[], reply: { lost: string[]; cancelRequested: string[] }): void {
    const { events } = this.#deps;
    const of = (ids: string[]) => leases.filter(({ id }) => ids.includes(id));
    if (reply.lost.length > 0) events.lost(of(reply.lost));
    if (reply.cancelRequested.length > 0) events.cancelRequested(of(reply.cancelRequested));
  }

  async #beatForWorker(): Promise<void> {
    const { directory, events, log } = this.#deps;
    if (this.#worker === null) return;
    const fetching = this.#worker.running.length >= this.#worker.concurrency;
    try {
      for (const command of await directory.beat({ ...this.#worker, blocked: true, fetching })) events.command(command);
    } catch (error) {
      log.debug('the heartbeat of a blocked worker could not be sent', { error });
    }
  }
}

interface Batch {
  queue: string;
  leases: LeaseRef[];
  ids: Set<string>;
}

/** By queue, within the bound of a call. Answers name ids, so an id (an old and a new lease of a task) is in a batch once. */
function batches(held: readonly HeldLease[]): Batch[] {
  const byQueue = new Map<string, Batch[]>();
  for (const { queue, id, token } of held) {
    const ofQueue = byQueue.get(queue) ?? [];
    byQueue.set(queue, ofQueue);
    let batch = ofQueue.find((it) => it.leases.length < LIMITS.workBatch && !it.ids.has(id));
    if (batch === undefined) {
      batch = { queue, leases: [], ids: new Set() };
      ofQueue.push(batch);
    }
    batch.leases.push({ id, token });
    batch.ids.add(id);
  }
  return [...byQueue.values()].flat();
}
