/** A report as a workbook: the table with its title and totals, a native chart beside it, and a second sheet with the chart's data. */
import writeExcelFile, { type SheetData } from 'write-excel-file/node';
import { cellText, fieldReader, toNumber } from '../records/row';
import { type Chart, formatNumber, type Report } from './model';
import { type ChartRanges, chartFeature } from './xlsx-chart';

const TABLE_SHEET = 'Report';
const CHART_SHEET = 'Chart data';
const NUMBER_FORMAT = '#,##0.##';
const WHOLE_FORMAT = '#,##0';
/** A cell of Excel holds no more characters. */
const MAX_CELL_CHARS = 32_767;
const CHART_COLUMNS = 10;
const CHART_ROWS = 20;
const MAX_COLUMN_WIDTH = 50;
const WIDTH_SAMPLE = 200;
const HEADER = { fontWeight: 'bold', bottomBorderStyle: 'thin', bottomBorderColor: '#8a95a3' } as const;
/** Named, since cells with a style of their own would fall back to another one. */
const FONT = { fontFamily: 'Calibri', fontSize: 11 };
const BOLD = { fontWeight: 'bold' } as const;

/** Rows above the table: title, subtitle, facts, and an empty one. */
const ROWS_ABOVE = 4;

export async function renderXlsx(report: Report): Promise<Buffer> {
  const { columns, chart } = report;
  const table = {
    data: tableData(report),
    sheet: TABLE_SHEET,
    columns: columnWidths(report),
    stickyRowsCount: ROWS_ABOVE + 1,
  };
  if (chart === null) return writeExcelFile([table], FONT).toBuffer();
  const anchor = { column: columns.length + 1, row: ROWS_ABOVE, columns: CHART_COLUMNS, rows: CHART_ROWS };
  const sheets = [table, { data: chartData(chart), sheet: CHART_SHEET, stickyRowsCount: 1 }];
  return writeExcelFile(sheets, { ...FONT, features: [chartFeature(chart, rangesOf(chart), anchor)] }).toBuffer();
}

function tableData({ title, subtitle, facts, columns, rows, totals }: Report): SheetData {
  const readers = columns.map((column) => ({ column, read: fieldReader(column.field) }));
  return [
    [{ value: title, fontWeight: 'bold', fontSize: 16 }],
    [{ value: subtitle, textColor: '#5d6b7a' }],
    [facts.map(({ label, value }) => `${label}: ${value}`).join('   ')],
    [],
    columns.map(({ label, numeric }) => ({
      value: label,
      ...HEADER,
      align: numeric ? ('right' as const) : ('left' as const),
    })),
    ...rows.map((row) => readers.map(({ column, read }) => toCell(read(row), column.numeric))),
    ...(totals === null
      ? []
      : [
          totals.map((total, i) =>
            total === null ? (i === 0 ? { value: 'Total', ...BOLD } : null) : { ...numberCell(total), ...BOLD },
          ),
        ]),
  ];
}

const numberCell = (value: number) => ({ value, format: Number.isInteger(value) ? WHOLE_FORMAT : NUMBER_FORMAT });

/** Text is written as text: nothing that a row says becomes a formula. */
function toCell(value: unknown, numeric: boolean) {
  const number = numeric ? toNumber(value) : null;
  if (number !== null) return numberCell(number);
  if (typeof value === 'boolean') return value;
  const text = cellText(value).slice(0, MAX_CELL_CHARS);
  return text === '' ? null : text;
}

function columnWidths({ columns, rows }: Report): { width: number }[] {
  const sample = rows.slice(0, WIDTH_SAMPLE);
  return columns.map(({ field, label, numeric }) => {
    const read = fieldReader(field);
    const lengths = sample.map((row) => {
      const number = numeric ? toNumber(read(row)) : null;
      return (number === null ? cellText(read(row)) : formatNumber(number)).length;
    });
    return { width: Math.min(MAX_COLUMN_WIDTH, 3 + Math.max(label.length, ...lengths)) };
  });
}

const chartData = ({ labels, series }: Chart): SheetData => [
  [null, ...series.map(({ name }) => ({ value: name, ...BOLD }))],
  ...labels.map((label, i) => [label || null, ...series.map(({ values }) => values[i] ?? null)]),
];

function rangesOf({ labels, series }: Chart): ChartRanges {
  const last = labels.length + 1;
  const column = (index: number) => String.fromCharCode('A'.charCodeAt(0) + index); // a chart has at most six series
  return {
    labels: `'${CHART_SHEET}'!$A$2:$A$${last}`,
    series: series.map((_, i) => ({
      name: `'${CHART_SHEET}'!$${column(i + 1)}$1`,
      values: `'${CHART_SHEET}'!$${column(i + 1)}$2:$${column(i + 1)}$${last}`,
    })),
  };
}
