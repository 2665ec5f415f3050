/** How the palette finds titles: every word that is typed must begin a word of the title, in any order. Pure. */

/** @returns the title in pieces, each with whether it was typed; null where it does not match */
export function matchWords(title: string, typed: string): (readonly [string, boolean])[] | null {
  const hits: { from: number; to: number }[] = [];
  for (const word of typed.toLowerCase().split(/\s+/)) {
    if (word === '') continue;
    const at = beginOf(title.toLowerCase(), word);
    if (at < 0) return null;
    hits.push({ from: at, to: at + word.length });
  }
  hits.sort((a, b) => a.from - b.from);
  const pieces: (readonly [string, boolean])[] = [];
  let from = 0;
  for (const hit of hits) {
    if (hit.from > from) pieces.push([title.slice(from, hit.from), false]);
    if (hit.to > from) pieces.push([title.slice(Math.max(from, hit.from), hit.to), true]);
    from = Math.max(from, hit.to);
  }
  if (from < title.length) pieces.push([title.slice(from), false]);
  return pieces;
}

function beginOf(title: string, word: string): number {
  for (let at = title.indexOf(word); at >= 0; at = title.indexOf(word, at + 1)) {
    if (at === 0 || !/[\p{L}\p{N}]/u.test(title.charAt(at - 1))) return at;
  }
  return -1;
}
