/** Bodies of answers as bytes and as text. The bound is the stream's own: the guarded fetch cuts it off. */
import type { GuardedResponse } from '../../handler';

export async function readBytes(
  response: GuardedResponse,
  onBytes?: (total: number) => Promise<void>,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of response.body) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    chunks.push(bytes);
    total += bytes.length;
    await onBytes?.(total);
  }
  return Buffer.concat(chunks, total);
}

/** The start of a body, for an error message: what does not come in whole is cut, what breaks off is left out. */
export async function readSnippet(response: GuardedResponse, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let total = 0;
  try {
    for await (const chunk of response.body) {
      const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
      chunks.push(bytes);
      total += bytes.length;
      if (total >= maxBytes) break;
    }
  } catch {
    // The status is what counts; a body that cannot be read (too large, cut off) only makes the message shorter.
  }
  return Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8');
}

/** @returns null where the bytes are not text in the charset of the media type (UTF-8 where it names none) */
export function decodeText(bytes: Uint8Array, contentType: string | undefined): string | null {
  const charset = /;\s*charset="?([^\s;"]+)/i.exec(contentType ?? '')?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return null; // not text, or a charset nobody knows
    throw error;
  }
}

export const isJsonType = (contentType: string | undefined): boolean =>
  /^\s*(?:application|text)\/(?:[\w.-]+\+)?json\b/i.test(contentType ?? '');
