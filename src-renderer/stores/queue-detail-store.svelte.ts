/** What belongs to the one queue that is open: its course over time, and its task types. */
import type { QueueTypes, Timeseries } from '#queue/contract/queue';
import { finishedSteps } from './series-columns';

export class QueueDetailStore {
  /** Its name; empty before one is opened. */
  queue = $state('');
  series = $state.raw<Timeseries | null>(null);
  types = $state.raw<QueueTypes | null>(null);
  error = $state.raw<unknown>(null);

  open(queue: string): void {
    if (queue !== this.queue) {
      this.series = null;
      this.types = null;
      this.error = null;
    }
    this.queue = queue;
  }

  replace(series: Timeseries, types: QueueTypes): void {
    this.series = finishedSteps(series);
    this.types = types;
    this.error = null;
  }
}
