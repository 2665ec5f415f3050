/** XLSX to records and back: one sheet, its first row the names of the columns. Workbooks are held in memory, so they are bounded. */
import { FatalError } from '../../handler';
import { columnNames } from '../records/read-records';
import { cellText, type Row } from '../records/row';
import { columnsOf } from '../records/write-records';
import { requireBoundedZip } from './zip-guard';

export const MAX_WORKBOOK_BYTES = 32 * 1024 * 1024;
/** Of the files inside. */
const MAX_UNPACKED_BYTES = 192 * 1024 * 1024;
const MAX_CELLS = 2_000_000;
/** A sheet of Excel has no more rows, a cell no more characters. */
const MAX_ROWS = 1_048_575;
const MAX_CELL_CHARS = 32_767;
const MAX_COLUMN_WIDTH = 60;
/** Records whose texts decide how wide the columns are. */
const WIDTH_SAMPLE = 100;

/** Dates become ISO 8601: a day where the time is midnight. @param sheet name, or number from 1; default the first */
export async function readWorkbook(data: Buffer, sheet: string | number = 1): Promise<Row[]> {
  await requireBoundedZip(data, MAX_UNPACKED_BYTES);
  const { readSheet } = await import('read-excel-file/node');
  const [header, ...rows] = await readSheet(data, sheet).catch((cause: unknown) => {
    throw new FatalError(`the workbook cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  });
  const names = columnNames((header ?? []).map((cell) => cellText(plain(cell))));
  return rows.map((cells) => Object.fromEntries(names.map((name, i) => [name, plain(cells[i] ?? null)])));
}

function plain(cell: unknown): unknown {
  if (!(cell instanceof Date)) return cell;
  const iso = cell.toISOString();
  return iso.endsWith('T00:00:00.000Z') ? iso.slice(0, 10) : iso;
}

/** @throws FatalError for more than a sheet or the memory holds */
export async function writeWorkbook(rows: readonly Row[]): Promise<Buffer> {
  const columns = columnsOf(rows);
  if (rows.length > MAX_ROWS || rows.length * columns.length > MAX_CELLS) {
    throw new FatalError(
      `${rows.length} records of ${columns.length} fields: a workbook holds at most ${MAX_ROWS} records and ${MAX_CELLS} cells`,
    );
  }
  const { default: writeExcelFile } = await import('write-excel-file/node');
  const header = columns.map((value) => ({ value, fontWeight: 'bold' as const }));
  const data = rows.map((row, index) =>
    columns.map((column) => toCell(Object.hasOwn(row, column) ? row[column] : null, index, column)),
  );
  const widths = columns.map((column) => ({
    width: Math.min(
      MAX_COLUMN_WIDTH,
      2 + Math.max(column.length, ...rows.slice(0, WIDTH_SAMPLE).map((row) => cellText(row[column]).length)),
    ),
  }));
  return writeExcelFile(
    [header, ...data],
    { columns: widths, stickyRowsCount: 1 },
    { fontFamily: 'Calibri', fontSize: 11 },
  ).toBuffer();
}

/** Text stays text: nothing that a record says is ever a formula. */
function toCell(value: unknown, index: number, column: string): string | number | boolean | null {
  if (value === null || value === undefined || value === '') return null;
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value;
  const text = cellText(value);
  if (text.length > MAX_CELL_CHARS)
    throw new FatalError(`record ${index + 1}: ${column} has more than the ${MAX_CELL_CHARS} characters of a cell`);
  return text;
}
