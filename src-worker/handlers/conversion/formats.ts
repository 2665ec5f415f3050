/** The formats of file_conversion, how people and file names write them, and which lead to which. */
import { extname } from 'node:path';
import { IMAGE_FORMATS, type ImageFormat } from '../image/operations';
import type { RecordFormat } from '../records/read-records';

export const FORMATS = ['csv', 'json', 'ndjson', 'yaml', 'xlsx', 'markdown', 'html', 'text', ...IMAGE_FORMATS] as const;
export type Format = (typeof FORMATS)[number];

const ALIASES = {
  tsv: 'csv',
  jsonl: 'ndjson',
  yml: 'yaml',
  md: 'markdown',
  htm: 'html',
  txt: 'text',
  jpg: 'jpeg',
} as const;
/** As a payload may write them. */
export const FORMAT_NAMES = [...FORMATS, ...(Object.keys(ALIASES) as (keyof typeof ALIASES)[])] as const;
type FormatName = (typeof FORMAT_NAMES)[number];

export const toFormat = (name: FormatName): Format =>
  name in ALIASES ? ALIASES[name as keyof typeof ALIASES] : (name as Format);

const isFormatName = (name: string): name is FormatName => (FORMAT_NAMES as readonly string[]).includes(name);

/** By the extension of a file name, then by media type; null where neither tells. */
export function guessFormat(name: string | null, mediaType: string | null): Format | null {
  const extension = extname(name ?? '')
    .slice(1)
    .toLowerCase();
  if (isFormatName(extension)) return toFormat(extension);
  const byType = FORMATS.find((format) => MEDIA_TYPES[format].split(';')[0] === mediaType);
  return byType ?? null;
}

export const MEDIA_TYPES: Record<Format, string> = {
  csv: 'text/csv; charset=utf-8',
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  yaml: 'application/yaml',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  markdown: 'text/markdown; charset=utf-8',
  html: 'text/html; charset=utf-8',
  text: 'text/plain; charset=utf-8',
  png: 'image/png',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  avif: 'image/avif',
};

const EXTENSIONS: Partial<Record<Format, string>> = { markdown: 'md', text: 'txt', jpeg: 'jpg' };
export const extensionOf = (format: Format): string => EXTENSIONS[format] ?? format;

export type TableFormat = RecordFormat | 'yaml' | 'xlsx';
const TABLES: readonly Format[] = ['csv', 'json', 'ndjson', 'yaml', 'xlsx'];

type Conversion =
  | { kind: 'table'; from: TableFormat; to: TableFormat }
  | { kind: 'markup'; from: 'markdown' | 'html'; to: 'html' | 'text' }
  | { kind: 'image'; to: ImageFormat };

/** Null where there is no way from one to the other. */
export function findConversion(from: Format, to: Format): Conversion | null {
  if (isTable(from) && isTable(to)) return { kind: 'table', from, to };
  if (isImage(from) && isImage(to)) return { kind: 'image', to };
  if ((from === 'markdown' && (to === 'html' || to === 'text')) || (from === 'html' && to === 'text'))
    return { kind: 'markup', from, to };
  return null;
}

const isTable = (format: Format): format is TableFormat => TABLES.includes(format);
const isImage = (format: Format): format is ImageFormat => (IMAGE_FORMATS as readonly Format[]).includes(format);
