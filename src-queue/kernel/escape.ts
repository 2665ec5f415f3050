/**
 * Text inside a record's head, an event or a key name: the characters that separate fields there, and control
 * characters, are written as %XX. `decodeURIComponent` is not its reverse (it knows UTF-8 sequences, not our bytes):
 * use `unescapeText`.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to escape
const SPECIAL = /[%|;,\u0000-\u001f\u007f]/g;

export const escapeText = (text: string): string =>
  text.replace(SPECIAL, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`);

export const unescapeText = (text: string): string =>
  text.includes('%')
    ? text.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;
