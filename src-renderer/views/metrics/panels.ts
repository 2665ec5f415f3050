/** The charts of Metrics, made of one time series. Pure. Series differ by lightness and dash, never by the hues of states. */
import type { ChartSeries } from '../../components/Chart.svelte';
import { countTicks, durationTicks, shareTicks, valueTicks } from '../../components/chart-ticks';
import { formatDuration, formatNumber, formatRate, formatShare, formatShort } from '../../format';
import { depthColumn, percentileColumn, type SeriesColumns } from '../../stores/series-columns';

export interface Panel {
  readonly id: string;
  readonly title: string;
  /** What is counted, where the title leaves it open. */
  readonly note: string;
  readonly series: readonly ChartSeries[];
  /** Of one value, in full. */
  readonly format: (value: number) => string;
  /** Of one value, at the axis. */
  readonly short: (value: number) => string;
  readonly stacked: boolean;
  readonly scale: (max: number, most: number) => number[];
  /** How the unit stands in the head of a column. */
  readonly unit: string;
}

const perSecond = (value: number) => `${formatRate(value)}/s`;
const SECOND_MS = 1000;
/** `0` stands at every base: it needs no unit. */
const based = (format: (value: number) => string) => (value: number) => (value === 0 ? '0' : format(value));

const DEPTHS = [
  { label: 'pending', color: '--ch-1', width: 1.75, fill: 0.2 },
  { label: 'processing', color: '--ch-3', width: 1, fill: 0.12 },
  { label: 'retrying', color: '--ch-4', width: 1, fill: 0.12 },
  { label: 'scheduled', color: '--ch-5', width: 1, fill: 0.12 },
  { label: 'blocked', color: '--ch-2', width: 1, fill: 0.12, dash: [2, 2] },
] as const;

/** States that held nothing all the time are left out, but for pending. */
const depthSeries = (columns: SeriesColumns): ChartSeries[] =>
  DEPTHS.map((look) => ({ ...look, values: depthColumn(columns, look.label), point: false })).filter(
    ({ label, values }) => label === 'pending' || values.some((value) => (value ?? 0) > 0),
  );

export function panelsOf(columns: SeriesColumns): Panel[] {
  const percentiles = (of: 'wait_ms' | 'run_ms'): ChartSeries[] => [
    { label: 'p50', values: percentileColumn(columns, of, 'p50'), color: '--ch-3' },
    { label: 'p95', values: percentileColumn(columns, of, 'p95'), color: '--ch-1' },
    { label: 'p99', values: percentileColumn(columns, of, 'p99'), color: '--ch-2', dash: [4, 3], width: 1 },
  ];
  const lines = { stacked: false, scale: valueTicks };
  const duration = {
    ...lines,
    scale: durationTicks,
    format: formatDuration,
    short: based(formatDuration),
    unit: ' ms',
  };
  return [
    {
      id: 'depth',
      title: 'Depth by state',
      note: 'tasks that are not over',
      series: depthSeries(columns),
      format: formatNumber,
      short: formatShort,
      stacked: true,
      scale: countTicks,
      unit: '',
    },
    {
      id: 'oldest',
      title: 'Oldest pending',
      note: 'at the end of each step',
      series: [
        {
          label: 'oldest',
          values: columns.oldest.map((age) => (age === null ? null : age * SECOND_MS)),
          color: '--ch-1',
        },
      ],
      ...duration,
    },
    {
      id: 'flow',
      title: 'In and out',
      note: 'tasks a second',
      series: [
        { label: 'in', values: columns.in, color: '--ch-3' },
        { label: 'out', values: columns.out, color: '--ch-1' },
      ],
      ...lines,
      format: perSecond,
      short: (value) => `${formatShort(value)}/s`,
      unit: ' /s',
    },
    {
      id: 'failing',
      title: 'Failing attempts',
      note: 'of all that ended',
      series: [{ label: 'share', values: columns.failing, color: '--st-failed' }],
      stacked: false,
      scale: shareTicks,
      format: formatShare,
      short: (value) => `${Number((value * 100).toFixed(1))} %`,
      unit: '',
    },
    { id: 'wait', title: 'Wait', note: 'from ready to start', series: percentiles('wait_ms'), ...duration },
    { id: 'run', title: 'Run', note: 'of attempts that ended', series: percentiles('run_ms'), ...duration },
  ];
}

/** All that is shown, as columns with names that stand alone. */
export const exportColumns = (panels: readonly Panel[]): ChartSeries[] =>
  panels.flatMap(({ id, series, unit }) =>
    series.map((one) => ({ ...one, label: `${id}${series.length === 1 ? '' : ` ${one.label}`}${unit}` })),
  );
