/** Makes a report of given rows, or of the numbers of tasks in this queue. */

import type { z } from 'zod';
import { TASK_STATUSES } from '#queue/contract/lifecycle';
import { type StatusCounts, totalOf } from '#queue/contract/queue';
import { FatalError } from '../../handler';
import { summing } from '../data/aggregation';
import { cellText, fieldReader, type Row, toNumber } from '../records/row';
import { columnsOf } from '../records/write-records';
import { type Chart, type Column, formatNumber, type Report } from './model';
import { MAX_COLUMNS, MAX_SERIES, type ReportPayload } from './payload';

/** Points of a chart; more could not be told apart. */
const MAX_CHART_POINTS = 500;

type Payload = z.infer<typeof ReportPayload>;

/** @throws FatalError for columns or a chart that the rows do not have */
export function buildRowsReport(payload: Payload, rows: Row[], subtitle: string): Report {
  const columns = chooseColumns(payload, rows);
  const totals = payload.totals === true ? sumColumns(columns, rows) : null;
  const chart = chooseChart(payload, columns, rows);
  const facts = [{ label: 'Rows', value: formatNumber(rows.length) }];
  return { title: payload.title ?? 'Report', subtitle, facts, chart, columns, rows, totals };
}

interface Statistics {
  total: StatusCounts;
  queues: Record<string, StatusCounts>;
}

/** A row for each queue, a column for each status, and the chart of all queues together. */
export function buildStatisticsReport(payload: Payload, { total, queues }: Statistics, subtitle: string): Report {
  const rows = Object.entries(queues)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([queue, counts]): Row => ({ queue, ...counts, total: totalOf(counts) }));
  const columns = [
    { field: 'queue', label: 'Queue', numeric: false },
    ...[...TASK_STATUSES, 'total'].map((field) => ({ field, label: capitalise(field), numeric: true })),
  ];
  const ended = total.completed + total.failed + total.cancelled;
  const share = (count: number) => (ended === 0 ? 'none yet' : `${formatNumber((100 * count) / ended)} %`);
  return {
    title: payload.title ?? 'Task statistics',
    subtitle,
    facts: [
      { label: 'Tasks', value: formatNumber(totalOf(total)) },
      { label: 'Queues', value: formatNumber(rows.length) },
      { label: 'Completed', value: share(total.completed) },
      { label: 'Failed', value: share(total.failed) },
    ],
    chart: statisticsChart(payload, total),
    columns,
    rows,
    totals: payload.totals === false ? null : [null, ...TASK_STATUSES.map((status) => total[status]), totalOf(total)],
  };
}

function statisticsChart({ chart }: Payload, total: StatusCounts): Chart | null {
  if (chart === false) return null;
  const { kind, title } = chartOptions(chart);
  const values = TASK_STATUSES.map((status) => total[status]);
  return {
    kind,
    title: title ?? 'Tasks by status',
    labels: TASK_STATUSES.map(capitalise),
    series: [{ name: 'Tasks', values }],
  };
}

const capitalise = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const chartOptions = (chart: Payload['chart']) =>
  typeof chart === 'object' ? chart : { kind: typeof chart === 'string' ? chart : ('bar' as const) };

function chooseColumns({ columns }: Pick<Payload, 'columns'>, rows: readonly Row[]): Column[] {
  const chosen = columns ?? columnsOf(rows).slice(0, MAX_COLUMNS);
  return chosen.map((column) => {
    const { field, label } = typeof column === 'string' ? { field: column, label: undefined } : column;
    const read = fieldReader(field);
    const values = rows.map(read).filter((value) => value !== null && value !== undefined && value !== '');
    return {
      field,
      label: label ?? field,
      numeric: values.length > 0 && values.every((value) => toNumber(value) !== null),
    };
  });
}

function sumColumns(columns: readonly Column[], rows: readonly Row[]): (number | null)[] {
  return columns.map(({ field, numeric }) => {
    if (!numeric) return null;
    const total = summing((sum) => sum);
    const read = fieldReader(field);
    for (const row of rows) total.add(read(row));
    return toNumber(total.result());
  });
}

/** Without a word about it, a chart of the first columns with numbers over the first without; none where there are none. */
function chooseChart({ chart }: Payload, columns: readonly Column[], rows: readonly Row[]): Chart | null {
  if (chart === false || rows.length === 0) return null;
  const options = chartOptions(chart);
  const known = new Map(columns.map((column) => [column.field, column]));
  const columnOf = (field: string): Column => {
    const column = known.get(field) ?? chooseColumns({ columns: [field] }, rows)[0];
    if (column === undefined || rows.every((row) => fieldReader(field)(row) === undefined))
      throw new FatalError(`no row has the field ${field} of the chart`);
    return column;
  };
  const named = options.y === undefined ? undefined : [options.y].flat();
  const x = options.x === undefined ? columns.find(({ numeric }) => !numeric) : columnOf(options.x);
  const y =
    named?.map(columnOf) ?? columns.filter(({ numeric, field }) => numeric && field !== x?.field).slice(0, MAX_SERIES);
  if (y.length === 0) {
    if (chart !== undefined) throw new FatalError('a chart needs a column with numbers');
    return null;
  }
  const points = rows.slice(0, MAX_CHART_POINTS);
  const readX = x === undefined ? null : fieldReader(x.field);
  const title = options.title ?? y.map(({ label }) => label).join(', ');
  return {
    kind: options.kind,
    title: points.length < rows.length ? `${title} (the first ${points.length} rows)` : title,
    labels: points.map((row, i) => (readX === null ? String(i + 1) : cellText(readX(row)))),
    series: y.map(({ field, label }) => ({
      name: label,
      values: points.map((row) => toNumber(fieldReader(field)(row))),
    })),
  };
}
