/** The text that a task works on: in its payload, in a file, or behind a URL (HTML becomes plain text). */
import { z } from 'zod';
import { type BuiltInConfig, FatalError } from '../../handler';
import { decodeText } from '../http/read-body';
import { openSource, readWhole, sourceFields } from '../input/source';

/** Of a text, bytes: about 150 000 words. */
export const MAX_TEXT_BYTES = 1024 * 1024;

export const textFields = {
  text: z.string().optional().describe('The text'),
  path: sourceFields.path.describe('A text or HTML file that the worker may read, instead of `text`'),
  url: sourceFields.url.describe('An http or https address of a text or HTML page, instead of `text`'),
};

export interface TextFields {
  text?: string | undefined;
  path?: string | undefined;
  url?: string | undefined;
}

export const hasOneSource = ({ text, path, url }: TextFields): boolean =>
  [text, path, url].filter((field) => field !== undefined).length === 1;
export const ONE_SOURCE = 'give exactly one of text, path and url';

/** @throws {FatalError} a source that may not be read, is too large, or is not text */
export async function readText(
  { text, path, url }: TextFields,
  config: BuiltInConfig,
  signal: AbortSignal,
): Promise<string> {
  if (text !== undefined) return text;
  const source = await openSource({ path, url }, config, { signal, maxBytes: MAX_TEXT_BYTES });
  const decoded = decodeText(await readWhole(source, MAX_TEXT_BYTES), source.mediaType ?? undefined);
  if (decoded === null || decoded.includes('\0')) throw new FatalError(`${path ?? 'the answer'} is not text in UTF-8`);
  const isHtml = source.mediaType === 'text/html' || (source.mediaType === null && /\.html?$/i.test(source.name ?? ''));
  return isHtml ? htmlToText(decoded) : decoded;
}

async function htmlToText(html: string): Promise<string> {
  const { convert } = await import('html-to-text');
  return convert(html, {
    wordwrap: false,
    baseElements: { selectors: ['main', 'article', 'body'], orderBy: 'selectors' },
    selectors: [
      { selector: 'a', options: { ignoreHref: true } },
      { selector: 'img', format: 'skip' },
      { selector: 'nav', format: 'skip' },
      ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
    ],
  });
}
