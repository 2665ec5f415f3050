/** How many tasks waited in each of some queues, step by step: what a chart of several queues needs of them. */
import type { Timeseries } from '../contract/queue';
import type { Step } from './metric-bucket';

type Columns = NonNullable<Timeseries['queue_depths']>;

export class DepthColumns {
  readonly columns: Columns;

  constructor(queues: readonly string[]) {
    this.columns = queues.map((queue) => ({ queue, depth: [] }));
  }

  /** The next step, oldest first. @param parts what was recorded of it, in the order of time */
  add(parts: readonly Step[]): void {
    if (this.columns.length === 0) return;
    const looked = parts.some((part) => [...part.values()].some(({ sample }) => sample !== null));
    for (const { queue, depth } of this.columns) {
      const last = parts.findLast((part) => part.get(queue)?.sample)?.get(queue)?.sample;
      // A queue without an entry at a step where somebody looked held nothing then.
      depth.push(last?.depths.pending ?? (looked ? 0 : null));
    }
  }
}
