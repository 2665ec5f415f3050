/**
 * Text from handlers and programs, made fit to be stored and shown: no terminal escapes, no control characters but
 * line feed and tab, no lone surrogates, and no longer than its bound.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
const TERMINAL_ESCAPE = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?)/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const LONE_SURROGATE = /\p{Surrogate}/gu;
const CUT = '…';
/** Of UTF-8 for one UTF-16 unit, at most. */
const BYTES_A_UNIT = 3;

const clean = (text: string): string =>
  text
    .replace(/\r\n?/g, '\n')
    .replace(TERMINAL_ESCAPE, '')
    .replace(CONTROL, '\ufffd')
    .replace(LONE_SURROGATE, '\ufffd');

/** At most `max` characters (UTF-16 units); ends in `…` where something was cut off. */
export function safeText(text: string, max: number): string {
  const long = text.length > max;
  // A bound on the work: escapes that are taken out may leave less than `max`, which is as good.
  const cleaned = clean(long ? text.slice(0, max * 2) : text);
  if (cleaned.length <= max) return cleaned;
  return cleaned.slice(0, max - 1).replace(LONE_SURROGATE, '') + CUT;
}

/** At most `maxBytes` of UTF-8. */
export function safeTextBytes(text: string, maxBytes: number): string {
  const cleaned = safeText(text, maxBytes);
  if (cleaned.length * BYTES_A_UNIT <= maxBytes) return cleaned;
  const bytes = Buffer.from(cleaned);
  if (bytes.length <= maxBytes) return cleaned;
  return (
    bytes
      .subarray(0, maxBytes - 6)
      .toString()
      .replace(/\ufffd+$/, '') + CUT
  );
}
