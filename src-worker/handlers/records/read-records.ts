/**
 * CSV, JSON and NDJSON as batches of records, with constant memory: a batch holds what one chunk of input gave. A
 * record that cannot be read is a FatalError that says which one it is.
 */
import { pipeline } from 'node:stream';
import { parse as createCsvParser } from 'csv-parse';
import { FatalError } from '../../handler';
import { JsonSplitter, MAX_RECORD_CHARS } from './json-splitter';
import { type Row, toRow } from './row';

export type RecordFormat = 'csv' | 'json' | 'ndjson';

interface ReadOptions {
  /** CSV's separator; default a comma. */
  delimiter?: string | undefined;
  /** CSV cells that look like numbers, `true` and `false` become such, empty ones null; default true. */
  inferTypes?: boolean | undefined;
}

/** Records in one batch of CSV; also the most that one turn of the event loop works on. */
export const BATCH_SIZE = 1000;

/** @throws FatalError for input that is not of this format, naming the record or line */
export function readRecords(
  chunks: AsyncIterable<Buffer>,
  format: RecordFormat,
  options: ReadOptions = {},
): AsyncGenerator<Row[]> {
  if (format === 'csv') return readCsv(chunks, options);
  return format === 'json' ? readJson(chunks) : readNdjson(chunks);
}

async function* decode(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

async function* readJson(chunks: AsyncIterable<Buffer>): AsyncGenerator<Row[]> {
  const splitter = new JsonSplitter();
  for await (const text of decode(chunks)) {
    const found = splitter.push(text);
    if (found.length > 0) yield found.map(toRow);
  }
  splitter.end();
}

async function* readNdjson(chunks: AsyncIterable<Buffer>): AsyncGenerator<Row[]> {
  let rest = '';
  let line = 0;
  const parseLines = (lines: string[]): Row[] => {
    const rows: Row[] = [];
    for (const text of lines) {
      line++;
      if (text.trim() !== '') rows.push(parseLine(text, line));
    }
    return rows;
  };
  for await (const text of decode(chunks)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_RECORD_CHARS)
      throw new FatalError(`line ${line + 1} is longer than ${MAX_RECORD_CHARS} characters`);
    const rows = parseLines(lines);
    if (rows.length > 0) yield rows;
  }
  const rows = parseLines([rest]);
  if (rows.length > 0) yield rows;
}

function parseLine(text: string, line: number): Row {
  try {
    return toRow(JSON.parse(text));
  } catch (cause) {
    throw new FatalError(`line ${line} is not valid JSON: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

async function* readCsv(
  chunks: AsyncIterable<Buffer>,
  { delimiter = ',', inferTypes = true }: ReadOptions,
): AsyncGenerator<Row[]> {
  const parser = createCsvParser({ bom: true, delimiter, skip_empty_lines: true, max_record_size: MAX_RECORD_CHARS });
  pipeline(chunks, parser, () => undefined); // an error of either side reaches the reader of `parser`
  let header: string[] | undefined;
  let batch: Row[] = [];
  try {
    for await (const cells of parser as AsyncIterable<string[]>) {
      if (header === undefined) {
        header = columnNames(cells);
        continue;
      }
      batch.push(toCsvRow(header, cells, inferTypes));
      if (batch.length >= BATCH_SIZE) {
        yield batch;
        batch = [];
      }
    }
  } catch (error) {
    throw asFatal(error);
  }
  if (batch.length > 0) yield batch;
}

/** Faults of the CSV text have such codes; what the source threw goes through as it is. */
function asFatal(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string' || !code.startsWith('CSV_') || !(error instanceof Error)) return error;
  return new FatalError(`not valid CSV: ${error.message}`, { cause: error });
}

/** Empty names are numbered, repeated ones get a number behind. */
export function columnNames(cells: readonly string[]): string[] {
  const names = new Set<string>();
  for (const [index, cell] of cells.entries()) {
    const wanted = cell.trim() || `column_${index + 1}`;
    let name = wanted;
    for (let n = 2; names.has(name); n++) name = `${wanted}_${n}`;
    names.add(name);
  }
  return [...names];
}

/** Built from entries, so that a column named `__proto__` is a field like any other. */
function toCsvRow(header: readonly string[], cells: readonly string[], inferTypes: boolean): Row {
  return Object.fromEntries(header.map((name, i) => [name, inferTypes ? inferType(cells[i] ?? '') : (cells[i] ?? '')]));
}

/** Numbers as people write them: no leading zeros (codes), at most 15 digits (ids keep all of theirs as text). */
const PLAIN_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?$/;
const MAX_DIGITS = 15;

function inferType(cell: string): unknown {
  if (cell === '') return null;
  if (cell === 'true') return true;
  if (cell === 'false') return false;
  return cell.length <= MAX_DIGITS + 2 && PLAIN_NUMBER.test(cell) && cell.replace(/[-.]/g, '').length <= MAX_DIGITS
    ? Number(cell)
    : cell;
}
