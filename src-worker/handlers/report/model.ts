/** A report, before it becomes a PDF, a page or a workbook: a title, a few facts, a chart, and a table with totals. */
import { cellText, type Row, toNumber } from '../records/row';

export interface Column {
  field: string;
  label: string;
  /** Its values are numbers: shown to the right, and summed. */
  numeric: boolean;
}

export interface Chart {
  kind: 'bar' | 'line';
  title: string;
  /** One for each point, along the bottom. */
  labels: string[];
  /** As many values each as there are labels; null where there is none. */
  series: { name: string; values: (number | null)[] }[];
}

export interface Report {
  title: string;
  subtitle: string;
  facts: { label: string; value: string }[];
  chart: Chart | null;
  columns: Column[];
  rows: Row[];
  /** One for each column, null where it has no total; null for a report without totals. */
  totals: (number | null)[] | null;
}

/** The colours of series, told apart by people who see few of them too. */
const SERIES_COLOURS = ['#2f6fdb', '#e08a00', '#1a9c74', '#c2427a', '#6b5bd2', '#5d6b7a'] as const;
export const seriesColour = (index: number): string =>
  SERIES_COLOURS[index % SERIES_COLOURS.length] ?? SERIES_COLOURS[0];

const NUMBERS = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

/** A cell of the table, as people read it. */
export function displayValue(value: unknown, numeric: boolean): string {
  const number = numeric ? toNumber(value) : null;
  return number === null ? cellText(value) : NUMBERS.format(number);
}

export const formatNumber = (value: number): string => NUMBERS.format(value);
