/** One time series, of all queues or of one, as the charts of Metrics show it. No I/O. */
import type { Timeseries } from '#queue/contract/queue';
import { describeError } from '../net/api-error';
import { columnsOf, type SeriesColumns } from './series-columns';

export const METRIC_RANGES = [
  { value: '15m', label: '15 m', seconds: 900, words: 'the last 15 minutes' },
  { value: '1h', label: '1 h', seconds: 3600, words: 'the last hour' },
  { value: '6h', label: '6 h', seconds: 21_600, words: 'the last 6 hours' },
  { value: '24h', label: '24 h', seconds: 86_400, words: 'the last 24 hours' },
  { value: '7d', label: '7 d', seconds: 604_800, words: 'the last 7 days' },
] as const;
export type MetricRange = (typeof METRIC_RANGES)[number];

export class MetricsStore {
  columns = $state.raw<SeriesColumns | null>(null);
  /** What the columns are of: while another is read, the old ones stay. */
  shown = $state.raw<{ range: MetricRange; queue: string | null } | null>(null);
  error = $state.raw<{ title: string; detail: string } | null>(null);
  /** Nobody looked at any time of the range. */
  readonly blank = $derived(this.columns?.in.every((value) => value === null) ?? false);

  put(range: MetricRange, series: Timeseries): void {
    this.columns = columnsOf(series);
    this.shown = { range, queue: series.queue };
    this.error = null;
  }

  fail(thrown: unknown): void {
    this.error = describeError(thrown);
  }
}
