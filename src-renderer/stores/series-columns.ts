/**
 * An answer of the time series as columns for charts. Pure. The last point of an answer is the step that is still
 * going on: it would read as a drop, so it is left out. Null stays null: nobody looked.
 */
import type { Percentiles, Timeseries } from '#queue/contract/queue';

type Point = Timeseries['points'][number];
export type Column = readonly (number | null)[];
export type DepthState = keyof NonNullable<Point['depths']>;

export interface SeriesColumns {
  /** Seconds of one step. */
  readonly step: number;
  /** Unix seconds at which each step began. */
  readonly times: readonly number[];
  /** A second. */
  readonly in: Column;
  /** A second: attempts that ended a task, well or for good. */
  readonly out: Column;
  /** Failed attempts of all that ended; zero where none ended. */
  readonly failing: Column;
  /** Tasks that entered the dead-letter queue. */
  readonly dead: Column;
  /** Pending tasks. */
  readonly depth: Column;
  /** Seconds; zero where nothing waited. */
  readonly oldest: Column;
  readonly points: readonly Point[];
}

/** Without the step that is still going on. */
export const finishedSteps = (series: Timeseries): Timeseries => ({ ...series, points: series.points.slice(0, -1) });

export function columnsOf(series: Timeseries): SeriesColumns {
  const { step, points } = finishedSteps(series);
  const column = (read: (point: Point) => number | null): Column => points.map(read);
  return {
    step,
    points,
    times: points.map(({ at }) => Date.parse(at) / 1000),
    in: column(({ created }) => (created === null ? null : created / step)),
    out: column(({ completed, dead }) => (completed === null ? null : (completed + (dead ?? 0)) / step)),
    failing: column(({ completed, failed }) =>
      completed === null || failed === null ? null : failed / Math.max(1, completed + failed),
    ),
    dead: column(({ dead }) => dead),
    depth: column(({ depth }) => depth),
    oldest: column(({ depth, oldest_pending_age }) => (depth === 0 ? 0 : oldest_pending_age)),
  };
}

export const depthColumn = (columns: SeriesColumns, state: DepthState): Column =>
  columns.points.map(({ depths }) => depths?.[state] ?? null);

/** Milliseconds. */
export const percentileColumn = (
  columns: SeriesColumns,
  of: 'wait_ms' | 'run_ms',
  percentile: keyof Percentiles,
): Column => columns.points.map((point) => point[of][percentile]);

/** What is left of `total` without the parts; null where any of them is not known. */
export function restOf(total: Column, parts: readonly Column[]): Column {
  return total.map((sum, index) => {
    let left = sum;
    for (const part of parts) {
      const value = part[index] ?? null;
      left = left === null || value === null ? null : left - value;
    }
    return left === null ? null : Math.max(0, left);
  });
}

/** Unix seconds of the last step at whose end the column was zero; null where it never was, or nobody looked since. */
export function lastZero(times: readonly number[], column: Column, step: number): number | null {
  for (let index = column.length - 1; index >= 0; index--) {
    if (column[index] === 0) return (times[index] ?? 0) + step;
  }
  return null;
}
