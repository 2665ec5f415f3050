/**
 * What the last heartbeats of each worker told, for the small lines beside its numbers: as many samples as are kept,
 * those of workers that are gone are let go of. Also when a heartbeat was last seen to change here, by this computer's
 * clock: a worker's own clock may be off, its silence is not. Folds frames, no I/O.
 */
import type { ServerFrame } from '#queue/contract/stream';
import type { Worker } from '#queue/contract/worker';

/** A heartbeat comes every 2 s: two minutes. */
export const KEPT_SAMPLES = 60;

export interface WorkerSample {
  /** When the heartbeat was sent, Unix ms of the worker's clock. */
  readonly atMs: number;
  readonly memoryBytes: number;
  /** Of one core; null where the worker did not tell. */
  readonly cpuPercent: number | null;
  /** Tasks that it has brought to an end since it started. */
  readonly done: number;
}

interface History {
  readonly samples: readonly WorkerSample[];
  readonly beatAt: string;
  /** Unix ms of this computer. */
  readonly seenMs: number;
}

const NOTHING: readonly WorkerSample[] = [];

export class WorkerSamples {
  #byWorker = $state.raw<ReadonlyMap<string, History>>(new Map());

  /** Oldest first. */
  of(workerId: string): readonly WorkerSample[] {
    return this.#byWorker.get(workerId)?.samples ?? NOTHING;
  }

  /** For how long no new heartbeat has come; 0 for a worker that is not known. */
  silentMs(workerId: string, nowMs: number): number {
    const history = this.#byWorker.get(workerId);
    return history === undefined ? 0 : Math.max(0, nowMs - history.seenMs);
  }

  /** @param nowMs Unix ms of this computer */
  apply(frame: ServerFrame, nowMs: number): void {
    if (frame.type === 'snapshot' || frame.type === 'workers') this.#take(frame.workers, nowMs);
  }

  #take(workers: readonly Worker[], nowMs: number): void {
    const next = new Map<string, History>();
    for (const worker of workers) {
      const known = this.#byWorker.get(worker.id);
      next.set(worker.id, known?.beatAt === worker.last_heartbeat_at ? known : grown(known, worker, nowMs));
    }
    this.#byWorker = next;
  }
}

function grown(known: History | undefined, worker: Worker, nowMs: number): History {
  const sample = {
    atMs: Date.parse(worker.last_heartbeat_at),
    memoryBytes: worker.memory_bytes,
    cpuPercent: worker.cpu_percent ?? null,
    done: worker.completed + worker.failed,
  };
  const samples = [...(known?.samples ?? NOTHING), sample].slice(-KEPT_SAMPLES);
  return { samples, beatAt: worker.last_heartbeat_at, seenMs: nowMs };
}

/** Tasks a second between one heartbeat and the next; one value fewer than there are samples. */
export function donePerSecond(samples: readonly WorkerSample[]): number[] {
  return samples.slice(1).map(({ atMs, done }, n) => {
    const before = samples[n];
    return before === undefined || atMs <= before.atMs
      ? 0
      : (1000 * Math.max(0, done - before.done)) / (atMs - before.atMs);
  });
}
