/** How things stand, in one sentence. Pure. What has failed is told beside it, with its own link: it is never "quiet". */
import type { Queue, StatsOverview } from '#queue/contract/queue';
import { formatDuration, plural } from '../../format';

export interface Oldest {
  queue: string;
  ms: number;
  late: boolean;
}

/** The queue whose oldest pending task waits longest; null where nothing is pending. */
export function oldestPending(queues: readonly Queue[]): Oldest | null {
  let worst: Oldest | null = null;
  for (const { name, oldest_pending_age, late } of queues) {
    if (oldest_pending_age === null) continue;
    const ms = oldest_pending_age * 1000;
    if (worst === null || ms > worst.ms) worst = { queue: name, ms, late };
  }
  return worst;
}

export function verdictOf(stats: StatsOverview, queues: readonly Queue[], workers: number): string {
  const late = queues.filter((queue) => queue.late).map((queue) => queue.name);
  if (late.length > 0) return `${late.join(', ')} ${late.length === 1 ? 'is' : 'are'} behind`;
  if (stats.pending > 0 && workers === 0)
    return `${plural(stats.pending, 'task waits', 'tasks wait')} and no worker is connected`;
  const oldest = oldestPending(queues);
  if (oldest !== null) return `The oldest task waits ${formatDuration(oldest.ms)}`;
  return stats.failed > 0 ? 'Nothing waits' : 'All quiet: nothing waits';
}
