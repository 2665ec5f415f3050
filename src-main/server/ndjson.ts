/** Lines of a stream, one at a time: holds one part and one line, whatever the length of the stream. */

const NEWLINE = 0x0a;

/** A line without its end; null for one that is longer than allowed, whose bytes were passed over. Empty lines are left out. */
export async function* linesOf(parts: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array | null> {
  let held: Uint8Array[] = [];
  let length = 0;
  const take = (): Uint8Array | null => {
    const line = length > maxBytes ? null : trimEnd(Buffer.concat(held));
    held = [];
    length = 0;
    return line;
  };
  const hold = (piece: Uint8Array) => {
    length += piece.byteLength;
    if (length > maxBytes) held = [];
    else held.push(piece);
  };
  for await (const part of parts) {
    let from = 0;
    for (let end = part.indexOf(NEWLINE); end !== -1; end = part.indexOf(NEWLINE, from)) {
      hold(part.subarray(from, end));
      from = end + 1;
      const line = take();
      if (line === null || line.byteLength > 0) yield line;
    }
    if (from < part.byteLength) hold(part.slice(from)); // a copy: the part may be reused by its maker
  }
  const last = take();
  if (last === null || last.byteLength > 0) yield last;
}

/** Without the carriage return and blanks that some writers leave. */
function trimEnd(line: Uint8Array): Uint8Array {
  let end = line.byteLength;
  while (end > 0 && (line[end - 1] === 0x0d || line[end - 1] === 0x20 || line[end - 1] === 0x09)) end--;
  return line.subarray(0, end);
}
