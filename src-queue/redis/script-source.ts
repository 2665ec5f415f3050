/**
 * One script out of its file and the shared pieces that it names. Redis makes every function of a script anew at each call, with
 * a record of each outer variable that it uses: for `work`, those that it did not use were a twentieth of a short call. So of
 * the shared functions, and of the keys' names, only those go along that the script uses, itself or through others.
 */

/** A shared function as it stands at the start of a line, up to an `end` that ends a line there; or the name of a key. */
const PART = /^local (?:function (\w+)\((?:.* end|.*\n[\s\S]*?\nend)|(\w+) = P \.\. '.*')$/gm;
/** A string may have dashes in it. */
const COMMENT = /^\s*--.*$/gm;

/**
 * @param lua begins with a shebang line, which stays first: it declares, for Redis, what the script may do when memory is full
 * @param lib in the order in which they may build on each other
 */
export function joinScript(lua: string, lib: readonly string[]): string {
  const shared = lib.join('\n');
  const bodies = new Map<string, string>();
  for (const [text, func, key] of shared.matchAll(PART)) bodies.set(func ?? key ?? '', text);
  const firstLine = lua.indexOf('\n') + 1;
  const own = lua.slice(firstLine);
  const used = new Set<string>();
  const look = (text: string): void => {
    for (const [word] of text.replace(COMMENT, '').matchAll(/\w+/g)) {
      const body = used.has(word) ? undefined : bodies.get(word);
      if (body === undefined) continue;
      used.add(word);
      look(body);
    }
  };
  look(shared.replace(PART, ''));
  look(own);
  const needed = shared.replace(PART, (text, func?: string, key?: string) => (used.has(func ?? key ?? '') ? text : ''));
  return `${lua.slice(0, firstLine)}${needed}\n${own}`;
}
