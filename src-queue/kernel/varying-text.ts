/**
 * Messages without what differs from one failure to the next: ids, addresses, paths and numbers become marks. What a
 * fingerprint is made of never changes, or groups would part; what people read keeps all that their failures share.
 */
/** What varies, its mark in a fingerprint, its mark on a screen. */
const VARYING: readonly (readonly [RegExp, string, string])[] = [
  [/https?:\/\/\S+/g, '<url>', '‹url›'],
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '<id>', '‹id›'],
  [/\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/g, '<id>', '‹id›'],
  [/"[^"]*"|`[^`]*`|(?<!\w)'[^']*'/g, '<text>', '‹text›'],
  [/(?:[a-z]:)?(?:[\\/][\w.@~+-]+){2,}/gi, '<path>', '‹path›'],
  [/\b0x[0-9a-f]+\b|\b(?=[a-f]*\d)[0-9a-f]{8,}\b/gi, '<hex>', '‹hex›'],
  [/\d+(?:[.,:]\d+)*/g, '#', '‹n›'],
  [/\s+/g, ' ', ' '],
];

export const normalisedMessage = (message: string): string =>
  VARYING.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), message);

const marked = (message: string): string =>
  VARYING.reduce((text, [pattern, , mark]) => text.replace(pattern, mark), message);

/** What failures of one cause say alike, the first of them in front: a word stays where all have it, else its mark stands there. */
export function sharedMessage(messages: readonly string[]): string {
  const [first = [], ...rest] = messages.map((message) => message.trim().split(/\s+/));
  const whole = marked(first.join(' '));
  if (rest.some((words) => words.length !== first.length)) return whole;
  const shared: string[] = [];
  for (const [at, word] of first.entries()) {
    const same = rest.every((words) => words[at] === word);
    const shown = same ? word : marked(word);
    // A part of a longer text that varies: only the whole of it has a mark.
    if (!same && shown === word) return whole;
    shared.push(shown);
  }
  return shared.join(' ');
}
