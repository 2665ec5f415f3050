/** Names of files that tasks make: one path segment that every system takes, so that an artifact cannot leave its folder. */
import { parse } from 'node:path';
import { z } from 'zod';

/** Bytes of UTF-8, with the extension. */
const MAX_BYTES = 200;
/** Of a name that is made from the input's, so that its extension fits too. */
const MAX_STEM_BYTES = 180;

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a file's name may not have
const FORBIDDEN = /[\u0000-\u001f\u007f/\\:*?"<>|]|^\.|[. ]$/;

export const FileName = z
  .string()
  .min(1)
  .max(MAX_BYTES)
  .refine(
    (name) => !FORBIDDEN.test(name) && Buffer.byteLength(name) <= MAX_BYTES,
    'must be a plain file name, without folders',
  );

/** `name` where given, else the input's name with another extension, else `fallback` with it. */
export function outputName(
  name: string | undefined,
  input: string | null,
  fallback: string,
  extension: string,
): string {
  if (name !== undefined) return parse(name).ext === '' ? `${name}.${extension}` : name;
  return `${plainStem(input) || fallback}.${extension}`;
}

/** Letters, digits and a few signs of the input's name; the others become underscores. */
function plainStem(input: string | null): string {
  if (input === null) return '';
  let stem = '';
  for (const char of parse(input)
    .name.replace(/[^\p{L}\p{N}._ -]/gu, '_')
    .replace(/^[. ]+/, '')) {
    if (Buffer.byteLength(stem + char) > MAX_STEM_BYTES) break;
    stem += char;
  }
  return stem;
}
