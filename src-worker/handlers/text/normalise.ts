/** One way to write a text: what looks the same becomes the same, so that texts can be compared, searched and stored. */
import { z } from 'zod';

export const NormaliseOptions = z.strictObject({
  form: z
    .enum(['NFC', 'NFKC'])
    .optional()
    .describe('NFC keeps how it looks (default); NFKC also makes ﬁ of its ligature and 1 of ¹'),
  lowercase: z.boolean().optional().describe('Default false'),
  strip_diacritics: z.boolean().optional().describe('é becomes e; default false'),
  strip_punctuation: z.boolean().optional().describe('Default false'),
  straight_quotes: z
    .boolean()
    .optional()
    .describe('Typographic quotes and apostrophes become plain ones; default true'),
  unwrap: z.boolean().optional().describe('A single line break becomes a space; default false'),
});
export type NormaliseOptions = z.output<typeof NormaliseOptions>;

/** Zero-width signs, soft hyphens, byte order marks, and the marks that turn the direction of writing. */
const INVISIBLE = /[\u00ad\u180e\u200b\u2060-\u2064\ufeff\u202a-\u202e\u2066-\u2069]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters, but tab and line feed, are what it removes
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u0084\u0086-\u009f]/g;

/** Zero-width joiners stay: emoji and Indic scripts are written with them. */
export function normaliseText(text: string, options: NormaliseOptions): string {
  let out = text
    .replace(/\r\n?|\u0085|\u2028|\u2029/g, '\n')
    .normalize(options.form ?? 'NFC')
    .replace(INVISIBLE, '')
    .replace(CONTROL, '');
  if (options.straight_quotes ?? true) out = out.replace(/[‘’‚‛]/g, "'").replace(/[“”„‟«»]/g, '"');
  if (options.strip_diacritics)
    out = out
      .normalize('NFD')
      .replace(/\p{Mn}+/gu, '')
      .normalize('NFC');
  if (options.strip_punctuation) out = out.replace(/[\p{P}\p{S}]+/gu, ' ');
  if (options.lowercase) out = out.toLowerCase();
  out = out
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
  return options.unwrap ? out.replace(/(?<!\n)\n(?!\n)/g, ' ') : out;
}
