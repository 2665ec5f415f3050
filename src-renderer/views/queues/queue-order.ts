/** The order of the queue table, and its rows where they are gathered by prefix. Pure. */
import { type Queue, type StatusCounts, sumCounts } from '#queue/contract/queue';
import { prefixOf } from './queue-words';

export interface QueueSort {
  /** Id of a column. */
  readonly column: string;
  readonly descending: boolean;
}

export type QueueRow =
  | { readonly kind: 'queue'; readonly queue: Queue }
  | {
      readonly kind: 'group';
      readonly prefix: string;
      readonly count: number;
      readonly depth: StatusCounts;
      readonly rateIn: number;
      readonly rateOut: number;
    };

const VALUES: Record<string, (queue: Queue) => number> = {
  pending: ({ depth }) => depth.pending,
  running: ({ running }) => running,
  retrying: ({ depth }) => depth.retrying,
  failed: ({ depth }) => depth.failed,
  in: ({ rate_in }) => rate_in,
  out: ({ rate_out }) => rate_out,
  wait: ({ wait_ms }) => wait_ms.p95 ?? -1,
  run: ({ run_ms }) => run_ms.p95 ?? -1,
  oldest: ({ oldest_pending_age }) => oldest_pending_age ?? -1,
  eta: ({ depth, paused, eta_seconds }) =>
    depth.pending === 0 ? -1 : paused || eta_seconds === null ? Number.MAX_VALUE : eta_seconds,
  fetching: ({ fetching, workers }) => (workers === 0 ? 0 : fetching / workers),
};

/** Those alike are ordered by name, so that rows stay where they are. */
export function compareQueues({ column, descending }: QueueSort): (a: Queue, b: Queue) => number {
  const value = VALUES[column];
  const sign = descending ? -1 : 1;
  return (a, b) => {
    const byValue = value === undefined ? 0 : sign * (value(a) - value(b));
    if (byValue !== 0) return byValue;
    return (value === undefined ? sign : 1) * a.name.localeCompare(b.name);
  };
}

/** Queues of one prefix follow its sum; a prefix with a single queue has none. */
export function groupByPrefix(queues: readonly Queue[]): QueueRow[] {
  const groups = new Map<string, Queue[]>();
  for (const queue of queues) {
    const group = groups.get(prefixOf(queue.name));
    if (group === undefined) groups.set(prefixOf(queue.name), [queue]);
    else group.push(queue);
  }
  return [...groups].flatMap(([prefix, members]): QueueRow[] => {
    const rows = members.map((queue): QueueRow => ({ kind: 'queue', queue }));
    if (members.length === 1) return rows;
    const sum = (of: (queue: Queue) => number) => members.reduce((total, queue) => total + of(queue), 0);
    return [
      {
        kind: 'group',
        prefix,
        count: members.length,
        depth: sumCounts(members.map(({ depth }) => depth)),
        rateIn: sum(({ rate_in }) => rate_in),
        rateOut: sum(({ rate_out }) => rate_out),
      },
      ...rows,
    ];
  });
}
