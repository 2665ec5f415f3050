/**
 * Where a task's input comes from: a file that the worker may read, a URL through the guarded fetch, or text and
 * bytes in the payload itself. Whatever it is, the handler gets one stream with a name, a size where it is known,
 * and a bound; a source that fails is a FatalError where trying again cannot help.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { type Clock, systemClock } from '#queue/kernel/clock';
import { type BuiltInConfig, FatalError } from '../../handler';
import { statusError } from '../http/retry-after';

/** The payload fields that name an input; exactly one of `path`, `url` and `content`. */
export const sourceFields = {
  path: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe(
      'A file in the artifacts folder or in a folder allowed with --files; relative paths start in the artifacts folder',
    ),
  url: z.string().min(1).max(8192).optional().describe('An http or https address to read from'),
  content: z.string().optional().describe('The input itself'),
  encoding: z.enum(['utf8', 'base64']).optional().describe('How `content` is written: utf8 for text, base64 for bytes'),
};

export interface SourceFields {
  path?: string | undefined;
  url?: string | undefined;
  content?: string | undefined;
  encoding?: 'utf8' | 'base64' | undefined;
}

export const countSources = (fields: SourceFields): number =>
  [fields.path, fields.url, fields.content].filter((field) => field !== undefined).length;

export interface Source {
  stream: Readable;
  /** File name, for guesses by extension and as the start of output names; null for inline content. */
  name: string | null;
  /** Bytes, where known before reading. */
  size: number | null;
  /** As the server said it, without parameters; null for files and inline content. */
  mediaType: string | null;
}

interface SourceOptions {
  signal: AbortSignal;
  /** More is an error. */
  maxBytes: number;
  /** How `content` is written where the payload does not say; default utf8. */
  encoding?: 'utf8' | 'base64';
  /** For servers that answer with the time to come back. */
  clock?: Pick<Clock, 'now'>;
}

/** @throws FatalError for a path that is not allowed, a URL that answers 4xx, content that is no base64, or an input that is too large */
export async function openSource(fields: SourceFields, config: BuiltInConfig, options: SourceOptions): Promise<Source> {
  if (fields.path !== undefined) return openFile(fields.path, config, options);
  if (fields.url !== undefined) return openUrl(fields.url, config, options);
  if (fields.content !== undefined)
    return openContent(fields.content, fields.encoding ?? options.encoding ?? 'utf8', options);
  throw new FatalError('give one of path, url and content');
}

/** The whole input in memory. @throws FatalError when it is larger than `maxBytes` */
export async function readWhole(source: Source, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source.stream) {
    const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    bytes += buffer.length;
    requireSize(bytes, maxBytes);
    chunks.push(buffer);
  }
  return Buffer.concat(chunks, bytes);
}

/** The input in pieces; `onBytes` is told how much has been read so far, for progress. */
export async function* readChunks(source: Source, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of source.stream) {
    const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    bytes += buffer.length;
    onBytes(bytes);
    yield buffer;
  }
}

async function openFile(path: string, config: BuiltInConfig, { signal, maxBytes }: SourceOptions): Promise<Source> {
  const real = await config.files.forReading(path);
  const { size } = await stat(real);
  requireSize(size, maxBytes);
  return { stream: createReadStream(real, { signal }), name: basename(path), size, mediaType: null };
}

function openContent(content: string, encoding: 'utf8' | 'base64', { maxBytes }: SourceOptions): Source {
  const bytes = encoding === 'base64' ? decodeBase64(content) : Buffer.from(content, 'utf8');
  requireSize(bytes.length, maxBytes);
  return { stream: Readable.from([bytes], { objectMode: false }), name: null, size: bytes.length, mediaType: null };
}

async function openUrl(
  url: string,
  config: BuiltInConfig,
  { signal, maxBytes, clock = systemClock }: SourceOptions,
): Promise<Source> {
  const response = await config.fetch(url, { signal, maxBytes });
  if (response.status >= 400) {
    response.body.destroy();
    throw statusError(
      response.status,
      `${withoutQuery(response.url)} answered ${response.status}`,
      response.headers,
      clock,
    );
  }
  const length = Number(response.headers['content-length']);
  const size =
    response.headers['content-encoding'] === undefined && Number.isSafeInteger(length) && length > 0 ? length : null;
  const mediaType = response.headers['content-type']?.split(';')[0]?.trim().toLowerCase() || null;
  return { stream: response.body, name: nameInUrl(response.url), size, mediaType };
}

/** Queries carry keys; they stay out of error messages. */
const withoutQuery = (url: string): string => url.split(/[?#]/, 1)[0] ?? url;

function nameInUrl(url: string): string | null {
  const name = basename(new URL(url).pathname);
  return extname(name) === '' ? null : name;
}

/** Takes a `data:` prefix, as browsers write it, and line breaks. */
function decodeBase64(content: string): Buffer {
  const text = content.replace(/^data:[^,]*;base64,/, '').replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw new FatalError('content is not valid base64');
  return Buffer.from(text, 'base64');
}

function requireSize(bytes: number, maxBytes: number): void {
  if (bytes > maxBytes)
    throw new FatalError(`the input is larger than ${maxBytes} bytes, the most that this task type reads`);
}
