/** Where in a JSON text something stands, and what a browser would lose of it. Pure. */
import { childrenOf, type JsonNode, rootOf } from './json-outline';

/**
 * The line, from 1, of what a dotted path names; of the deepest part that is there where the rest is missing.
 * For text that is known to be JSON.
 */
export function lineOfPath(text: string, path: string): number {
  let node: JsonNode = rootOf(text);
  let at = node.from;
  let rest = path;
  while (rest !== '') {
    // A name may have dots in it: the longest that fits.
    const next = childrenOf(text, node)
      .filter(({ key }) => rest === String(key) || rest.startsWith(`${key}.`))
      .sort((a, b) => String(b.key).length - String(a.key).length)[0];
    if (next === undefined) break;
    node = next;
    at = next.from;
    rest = rest.slice(String(next.key).length + 1);
  }
  return lineAt(text, at);
}

export const lineAt = (text: string, position: number): number => text.slice(0, position).split('\n').length;

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** A whole number with more digits than JavaScript keeps, as it is written; null where there is none. */
export function lossyNumber(text: string): string | null {
  for (const [token] of text.matchAll(TOKEN))
    if (/^-?\d{16,}$/.test(token) && BigInt(token) !== BigInt(Number(token))) return token;
  return null;
}
