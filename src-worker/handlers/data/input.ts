/** Where the records of a data_processing task come from, and how much of them there is. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type BuiltInConfig, FatalError } from '../../handler';
import { openSource, readChunks, type SourceFields } from '../input/source';
import { guessDelimiter, guessRecordFormat } from '../records/formats';
import { BATCH_SIZE, type RecordFormat, readRecords } from '../records/read-records';
import { type Row, toRow } from '../records/row';
import { sampleRecords } from './sample-records';

/** Bytes that one task may read from a file or a URL. */
export const MAX_INPUT_BYTES = 64 * 1024 ** 3;
/** What a payload without any input works on. */
export const DEFAULT_SAMPLE_RECORDS = 1000;

interface InputFields extends SourceFields {
  records?: number | readonly unknown[] | undefined;
  generate?: number | undefined;
  seed?: number | undefined;
  format?: RecordFormat | undefined;
  delimiter?: string | undefined;
  infer_types?: boolean | undefined;
}

interface RecordInput {
  batches: AsyncIterable<Row[]>;
  /** Share of the input that has been read, 0 to 1; null where its size is unknown. */
  share(recordsRead: number): number | null;
}

/** @throws FatalError for an input that may not be read or whose format cannot be told */
export async function openRecords(
  fields: InputFields,
  config: BuiltInConfig,
  signal: AbortSignal,
): Promise<RecordInput> {
  if (Array.isArray(fields.records)) return givenRecords(fields.records);
  if (fields.path === undefined && fields.url === undefined && fields.content === undefined) {
    const count = typeof fields.records === 'number' ? fields.records : (fields.generate ?? DEFAULT_SAMPLE_RECORDS);
    return { batches: sampleRecords(count, fields.seed ?? 1), share: (read) => (count === 0 ? 1 : read / count) };
  }
  return openText(fields, config, signal);
}

function givenRecords(records: readonly unknown[]): RecordInput {
  async function* batches(): AsyncGenerator<Row[]> {
    for (let i = 0; i < records.length; i += BATCH_SIZE) {
      await nextTurn();
      yield records.slice(i, i + BATCH_SIZE).map(toRow);
    }
  }
  return { batches: batches(), share: (read) => (records.length === 0 ? 1 : read / records.length) };
}

async function openText(fields: InputFields, config: BuiltInConfig, signal: AbortSignal): Promise<RecordInput> {
  const source = await openSource(fields, config, { signal, maxBytes: MAX_INPUT_BYTES });
  const format = fields.format ?? guessRecordFormat(source.name, source.mediaType) ?? guessByContent(fields.content);
  if (format === null) {
    source.stream.destroy();
    throw new FatalError(`cannot tell the format of ${source.name ?? 'the input'}: give format as csv, json or ndjson`);
  }
  let bytes = 0;
  const delimiter = fields.delimiter ?? guessDelimiter(source.name, source.mediaType);
  const { size } = source;
  return {
    batches: readRecords(
      readChunks(source, (read) => (bytes = read)),
      format,
      { delimiter, inferTypes: fields.infer_types },
    ),
    share: () => (size === null || size === 0 ? null : Math.min(1, bytes / size)),
  };
}

/** Of inline text only; the JSON reader takes NDJSON as well. */
function guessByContent(content: string | undefined): RecordFormat | null {
  const start = content?.trimStart()[0];
  if (start === undefined) return null;
  return start === '[' || start === '{' ? 'json' : 'csv';
}
