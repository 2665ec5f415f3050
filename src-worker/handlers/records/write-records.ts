/**
 * Batches of records as CSV, JSON or NDJSON text, streamed. The columns of a CSV are those of the first batch, since
 * its header is written before the rest is known: fields that only come later are left out, and reported.
 */
import { stringify as stringifyCsv } from 'csv-stringify/sync';
import type { HandlerLog } from '../../handler';
import type { RecordFormat } from './read-records';
import { cellText, type Row } from './row';

export const MEDIA_TYPES: Record<RecordFormat, string> = {
  csv: 'text/csv; charset=utf-8',
  json: 'application/json',
  ndjson: 'application/x-ndjson',
};

interface WriteOptions {
  delimiter?: string | undefined;
  /** Told once of the fields that have no column in a CSV. */
  onFieldsLeftOut?: ((fields: readonly string[]) => void) | undefined;
}

export function writeRecords(
  batches: AsyncIterable<Row[]>,
  format: RecordFormat,
  options: WriteOptions = {},
): AsyncGenerator<string> {
  if (format === 'csv') return writeCsv(batches, options);
  return format === 'json' ? writeJson(batches) : writeNdjson(batches);
}

async function* writeNdjson(batches: AsyncIterable<Row[]>): AsyncGenerator<string> {
  for await (const rows of batches) yield rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

async function* writeJson(batches: AsyncIterable<Row[]>): AsyncGenerator<string> {
  let separator = '[\n';
  for await (const rows of batches) {
    if (rows.length === 0) continue;
    yield separator + rows.map((row) => JSON.stringify(row)).join(',\n');
    separator = ',\n';
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n';
}

async function* writeCsv(
  batches: AsyncIterable<Row[]>,
  { delimiter = ',', onFieldsLeftOut }: WriteOptions,
): AsyncGenerator<string> {
  let columns: string[] | undefined;
  let known = new Set<string>();
  const leftOut = new Set<string>();
  for await (const rows of batches) {
    if (rows.length === 0) continue;
    const lines: string[][] = [];
    if (columns === undefined) {
      columns = columnsOf(rows);
      known = new Set(columns);
      lines.push(columns);
    }
    for (const row of rows) {
      lines.push(columns.map((column) => (Object.hasOwn(row, column) ? cellText(row[column]) : '')));
      for (const field of Object.keys(row)) if (!known.has(field)) leftOut.add(field);
    }
    yield stringifyCsv(lines, { delimiter });
  }
  if (leftOut.size > 0) onFieldsLeftOut?.([...leftOut]);
}

/** For `onFieldsLeftOut`: tells the reader of the task's log. */
export const warnOfFields = (log: HandlerLog) => (fields: readonly string[]) =>
  log.warn(`fields that no record at the start has are not in the CSV: ${fields.slice(0, 20).join(', ')}`, {
    fields: fields.length,
  });

/** All fields of these records, in the order in which they first come. */
export function columnsOf(rows: Iterable<Row>): string[] {
  const columns = new Set<string>();
  for (const row of rows) for (const field of Object.keys(row)) columns.add(field);
  return [...columns];
}
