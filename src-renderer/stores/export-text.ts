/** Rows as a file: JSON lines with everything, or CSV with the columns that people sort by. Pure. */
export const EXPORT_FORMATS = ['jsonl', 'csv'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportColumn<Row> {
  readonly name: string;
  readonly of: (row: Row) => unknown;
}

export const MEDIA_TYPES: Record<ExportFormat, string> = { jsonl: 'application/x-ndjson', csv: 'text/csv' };

/** A spreadsheet would take a text that begins like this for a formula. */
const FORMULA = /^[=+\-@\t\r]/;
const NEEDS_QUOTES = /[",\r\n]/;

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** RFC 4180 */
export const csvLine = (cells: readonly unknown[]): string => `${cells.map(csvCell).join(',')}\r\n`;

/** What stands before the first row. */
export const exportHead = <Row>(format: ExportFormat, columns: readonly ExportColumn<Row>[]): string =>
  format === 'csv' ? csvLine(columns.map(({ name }) => name)) : '';

export const exportRows = <Row>(
  format: ExportFormat,
  columns: readonly ExportColumn<Row>[],
  rows: readonly Row[],
): string =>
  rows
    .map((row) => (format === 'csv' ? csvLine(columns.map(({ of }) => of(row))) : `${JSON.stringify(row)}\n`))
    .join('');

/** `dead-letters-2026-11-25T14-48-02.csv` */
export const exportName = (what: string, format: ExportFormat, nowMs: number): string =>
  `${what}-${new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '-')}.${format}`;
