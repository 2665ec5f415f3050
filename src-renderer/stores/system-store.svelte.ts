/** How things stand: counts by state, queues, workers. Folds frames, no I/O. */
import type { Queue, StatsOverview } from '#queue/contract/queue';
import type { ServerFrame } from '#queue/contract/stream';
import type { TaskTypeInfo, Worker } from '#queue/contract/worker';

export class SystemStore {
  /** Null until the first answer. */
  stats = $state.raw<StatsOverview | null>(null);
  queues = $state.raw<readonly Queue[]>([]);
  workers = $state.raw<readonly Worker[]>([]);
  taskTypes = $state.raw<readonly TaskTypeInfo[]>([]);

  /** One queue as a request has left it. */
  putQueue(queue: Queue): void {
    this.queues = this.queues.map((known) => (known.name === queue.name ? queue : known));
  }

  apply(frame: ServerFrame): void {
    switch (frame.type) {
      case 'snapshot':
        this.stats = frame.stats;
        this.queues = frame.queues;
        this.workers = frame.workers;
        return;
      case 'stats':
        this.stats = frame.stats;
        return;
      case 'queues':
        this.queues = frame.queues;
        return;
      case 'workers':
        this.workers = frame.workers;
        return;
      default:
        return;
    }
  }
}
