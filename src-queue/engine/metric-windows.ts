/** What the last minutes of a queue, or of one of its task types, look like in numbers. */
import type { Percentiles } from '../contract/queue';
import type { Bucket } from './metric-bucket';

export interface TypeFigures {
  /** Tasks a second, over the last minute. */
  in: number;
  out: number;
  /** Over the last 5 minutes. */
  runMs: Percentiles;
  failingShare: number | null;
  deadPerHour: number;
}

export interface QueueFigures extends TypeFigures {
  waitMs: Percentiles;
}

/** Of the attempts that ended; null where none did. */
export function failingShare(counts: Pick<Bucket, 'completed' | 'failed'> | undefined): number | null {
  const ended = (counts?.completed ?? 0) + (counts?.failed ?? 0);
  return counts === undefined || ended === 0 ? null : Math.round((counts.failed / ended) * 1e4) / 1e4;
}
