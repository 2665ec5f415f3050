/** Messages without what differs from one failure to the next: ids, addresses, paths and numbers become marks. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  [/https?:\/\/\S+/g, '<url>'],
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '<id>'],
  [/\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/g, '<id>'],
  [/"[^"]*"|`[^`]*`|(?<!\w)'[^']*'/g, '<text>'],
  [/(?:[a-z]:)?(?:[\\/][\w.@~+-]+){2,}/gi, '<path>'],
  [/\b0x[0-9a-f]+\b|\b(?=[a-f]*\d)[0-9a-f]{8,}\b/gi, '<hex>'],
  [/\d+(?:[.,:]\d+)*/g, '#'],
  [/\s+/g, ' '],
];

export const normalisedMessage = (message: string): string =>
  VARYING.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), message);
