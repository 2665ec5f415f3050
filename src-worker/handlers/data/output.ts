/** What becomes of the records: in the result, as far as they fit there, or all of them in a file. */
import { Readable } from 'node:stream';
import type { Artifact, Artifacts, HandlerLog } from '../../handler';
import type { RecordFormat } from '../records/read-records';
import type { Row } from '../records/row';
import { MEDIA_TYPES, warnOfFields, writeRecords } from '../records/write-records';

/** Of the records in a result, as JSON; a result holds 256 KiB. */
const INLINE_MAX_BYTES = 200 * 1024;
const INLINE_MAX_RECORDS = 10_000;

interface InlineOutput {
  records: Row[];
  /** Set where not all records are here. */
  truncated?: true;
  note?: string;
}

/** Reads to the end, for the counts, and keeps the first records that fit. */
export async function collectInline(batches: AsyncIterable<Row[]>): Promise<InlineOutput> {
  const records: Row[] = [];
  let bytes = 2;
  let total = 0;
  let full = false;
  for await (const rows of batches) {
    total += rows.length;
    for (const row of rows) {
      if (full) break;
      bytes += Buffer.byteLength(JSON.stringify(row)) + 1;
      full = bytes > INLINE_MAX_BYTES || records.length >= INLINE_MAX_RECORDS;
      if (!full) records.push(row);
    }
  }
  if (!full) return { records };
  const note = `the first ${records.length} of ${total} records; give output { format, name } to get all of them as a file`;
  return { records, truncated: true, note };
}

interface FileOutput {
  format: RecordFormat;
  name: string;
  delimiter?: string | undefined;
}

/** Streams all records into an artifact. */
export function writeArtifact(
  batches: AsyncIterable<Row[]>,
  output: FileOutput,
  artifacts: Artifacts,
  log: HandlerLog,
): Promise<Artifact> {
  const text = writeRecords(batches, output.format, {
    delimiter: output.delimiter,
    onFieldsLeftOut: warnOfFields(log),
  });
  return artifacts.write(output.name, Readable.from(text, { objectMode: false }), MEDIA_TYPES[output.format]);
}
