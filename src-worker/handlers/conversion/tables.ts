/**
 * Tables from one format into another. CSV, JSON and NDJSON stream; YAML and XLSX are documents that are read and
 * written whole, within bounds. JSON and YAML among each other keep their document, whatever its shape.
 */
import { Readable } from 'node:stream';
import { type Artifact, type Artifacts, FatalError, type HandlerLog } from '../../handler';
import { readChunks, readWhole, type Source } from '../input/source';
import { guessDelimiter } from '../records/formats';
import { BATCH_SIZE, readRecords } from '../records/read-records';
import { type Row, toRow } from '../records/row';
import { warnOfFields, writeRecords } from '../records/write-records';
import { MEDIA_TYPES, type TableFormat } from './formats';
import { MAX_WORKBOOK_BYTES, readWorkbook, writeWorkbook } from './workbook';

/** Of a YAML document, or of JSON that becomes one. */
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
/** Records held for a document or a workbook. */
const MAX_HELD_RECORDS = 200_000;
/** YAML can refer to its own parts: so many times, lest a page unfold into more than the memory holds. */
const MAX_ALIASES = 100;

export interface TableRequest {
  source: Source;
  from: TableFormat;
  to: TableFormat;
  name: string;
  delimiter?: string | undefined;
  inferTypes?: boolean | undefined;
  sheet?: string | number | undefined;
  artifacts: Artifacts;
  log: HandlerLog;
  signal: AbortSignal;
  onRecords(records: number, share: number | null): Promise<void>;
}

interface ConvertedTable {
  artifact: Artifact;
  /** Null for a document that is no list. */
  records: number | null;
}

/** @throws FatalError for input that is not of its format, or too large for a document */
export async function convertTable(request: TableRequest): Promise<ConvertedTable> {
  const { from, to, source } = request;
  if ((from === 'json' || from === 'yaml') && (to === 'json' || to === 'yaml')) {
    const document = await parseDocument(from, (await readWhole(source, MAX_DOCUMENT_BYTES)).toString('utf8'));
    const artifact = await save(request, await printDocument(to, document));
    return { artifact, records: Array.isArray(document) ? document.length : null };
  }
  let records = 0;
  let bytes = 0;
  async function* counted(): AsyncGenerator<Row[]> {
    for await (const rows of readTable(request, (read) => (bytes = read))) {
      request.signal.throwIfAborted();
      records += rows.length;
      await request.onRecords(records, source.size ? Math.min(1, bytes / source.size) : null);
      yield rows;
    }
  }
  const artifact = await save(request, await writeTable(request, counted()));
  return { artifact, records };
}

const save = ({ name, to, artifacts }: TableRequest, data: string | Buffer | Readable): Promise<Artifact> =>
  artifacts.write(name, data, MEDIA_TYPES[to]);

async function* readTable(
  { source, from, sheet, delimiter, inferTypes }: TableRequest,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Row[]> {
  if (from !== 'yaml' && from !== 'xlsx') {
    const separator = delimiter ?? guessDelimiter(source.name, source.mediaType);
    yield* readRecords(readChunks(source, onBytes), from, { delimiter: separator, inferTypes });
    return;
  }
  const data = await readWhole(source, from === 'yaml' ? MAX_DOCUMENT_BYTES : MAX_WORKBOOK_BYTES);
  onBytes(data.length);
  const rows =
    from === 'yaml' ? toRows(await parseDocument(from, data.toString('utf8'))) : await readWorkbook(data, sheet);
  for (let i = 0; i < rows.length; i += BATCH_SIZE) yield rows.slice(i, i + BATCH_SIZE);
}

const toRows = (document: unknown): Row[] => (Array.isArray(document) ? document.map(toRow) : [toRow(document)]);

async function writeTable(
  { from, to, delimiter, log }: TableRequest,
  batches: AsyncIterable<Row[]>,
): Promise<string | Buffer | Readable> {
  if (to === 'yaml') return printDocument(to, await hold(batches));
  if (to === 'xlsx') return writeWorkbook(await hold(batches));
  const text = writeRecords(batches, to, {
    delimiter: from === 'csv' ? undefined : delimiter,
    onFieldsLeftOut: warnOfFields(log),
  });
  return Readable.from(text, { objectMode: false });
}

async function hold(batches: AsyncIterable<Row[]>): Promise<Row[]> {
  const held: Row[] = [];
  for await (const rows of batches) {
    for (const row of rows) held.push(row);
    if (held.length > MAX_HELD_RECORDS)
      throw new FatalError(`yaml and xlsx are written from at most ${MAX_HELD_RECORDS} records`);
  }
  return held;
}

async function parseDocument(format: 'json' | 'yaml', text: string): Promise<unknown> {
  try {
    if (format === 'json') return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown;
    const { parse } = await import('yaml');
    return parse(text, { maxAliasCount: MAX_ALIASES }) as unknown;
  } catch (cause) {
    throw new FatalError(
      `not valid ${format.toUpperCase()}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

async function printDocument(format: 'json' | 'yaml', document: unknown): Promise<string> {
  if (format === 'json') return `${JSON.stringify(document, null, 2)}\n`;
  const { stringify } = await import('yaml');
  return stringify(document, { aliasDuplicateObjects: false });
}
