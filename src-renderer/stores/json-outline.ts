/**
 * JSON read in place: what a value holds is found in the text when it is asked for, and numbers stay as they are
 * written. A payload of a megabyte costs nothing until it is opened. For text that is known to be JSON. Pure.
 */
export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'word';

export interface JsonNode {
  /** Name or place in what holds it; null for the whole. */
  readonly key: string | number | null;
  readonly kind: JsonKind;
  /** Characters of the text, `to` exclusive. */
  readonly from: number;
  readonly to: number;
}

const SPACE = /[\s]/;

function skipSpace(text: string, at: number): number {
  let next = at;
  while (next < text.length && SPACE.test(text.charAt(next))) next++;
  return next;
}

/** @returns the place behind the closing quote */
function skipString(text: string, at: number): number {
  let next = at + 1;
  while (next < text.length && text.charAt(next) !== '"') next += text.charAt(next) === '\\' ? 2 : 1;
  return next + 1;
}

function skipValue(text: string, at: number): number {
  const char = text.charAt(at);
  if (char === '"') return skipString(text, at);
  let next = at;
  if (char !== '{' && char !== '[') {
    while (next < text.length && !/[\s,\]}]/.test(text.charAt(next))) next++;
    return next;
  }
  for (let depth = 0; next < text.length; next++) {
    switch (text.charCodeAt(next)) {
      case 0x22: // "
        next = skipString(text, next) - 1;
        break;
      case 0x5b: // [
      case 0x7b: // {
        depth++;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        if (--depth === 0) return next + 1;
        break;
      default:
    }
  }
  return next;
}

function kindAt(text: string, at: number): JsonKind {
  const char = text.charAt(at);
  if (char === '{') return 'object';
  if (char === '[') return 'array';
  if (char === '"') return 'string';
  return char === '-' || (char >= '0' && char <= '9') ? 'number' : 'word';
}

const nodeAt = (text: string, at: number, key: JsonNode['key']): JsonNode => ({
  key,
  kind: kindAt(text, at),
  from: at,
  to: skipValue(text, at),
});

export const rootOf = (text: string): JsonNode => nodeAt(text, skipSpace(text, 0), null);

/** In their order; O(length of the value). */
export function childrenOf(text: string, node: JsonNode): JsonNode[] {
  const children: JsonNode[] = [];
  if (node.kind !== 'object' && node.kind !== 'array') return children;
  let at = skipSpace(text, node.from + 1);
  while (at < node.to - 1) {
    let key: string | number = children.length;
    if (node.kind === 'object') {
      const end = skipString(text, at);
      key = String(JSON.parse(text.slice(at, end)));
      at = skipSpace(text, skipSpace(text, end) + 1); // behind the colon
    }
    const child = nodeAt(text, at, key);
    children.push(child);
    at = skipSpace(text, child.to);
    if (text.charAt(at) === ',') at = skipSpace(text, at + 1);
  }
  return children;
}

/** The text of a field of an answer, as the server wrote it; null where there is none. */
export function fieldText(text: string, name: string): string | null {
  const field = childrenOf(text, rootOf(text)).find(({ key }) => key === name);
  return field === undefined ? null : text.slice(field.from, field.to);
}

/** `order.lines[0].sku`, or `["a b"]` for a name that is no word: as code would write it. */
export function pathText(keys: readonly (string | number)[]): string {
  return keys
    .map((key, n) => {
      if (typeof key === 'number') return `[${key}]`;
      if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `[${JSON.stringify(key)}]`;
      return n === 0 ? key : `.${key}`;
    })
    .join('');
}
