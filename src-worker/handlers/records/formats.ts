/** Which format an input has, by its name or its media type. */
import { extname } from 'node:path';
import type { RecordFormat } from './read-records';

const BY_EXTENSION: Partial<Record<string, RecordFormat>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.json': 'json',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
};

const BY_MEDIA_TYPE: Partial<Record<string, RecordFormat>> = {
  'text/csv': 'csv',
  'text/tab-separated-values': 'csv',
  'application/json': 'json',
  'application/x-ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
};

/** Null where neither tells. */
export const guessRecordFormat = (name: string | null, mediaType: string | null): RecordFormat | null =>
  BY_EXTENSION[extname(name ?? '').toLowerCase()] ?? BY_MEDIA_TYPE[mediaType ?? ''] ?? null;

/** A tab for what is tab-separated by its name; undefined leaves the default. */
export const guessDelimiter = (name: string | null, mediaType: string | null): string | undefined =>
  extname(name ?? '').toLowerCase() === '.tsv' || mediaType === 'text/tab-separated-values' ? '\t' : undefined;
