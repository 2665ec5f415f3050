/** Attachments, read into memory with a bound: mail servers refuse larger messages anyway. */
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { FatalError, type FileAccess } from '../../handler';
import type { Attachment } from './payload';

/** Of all attachments of a message, bytes. */
export const MAX_ATTACHMENT_BYTES = 25 * 1024 * 1024;

export interface LoadedAttachment {
  filename: string;
  content: Buffer;
  contentType?: string;
  cid?: string;
}

/**
 * @param onLoaded called after each with the share that is done, 0 to 1
 * @throws {FatalError} a file that may not be read or is not there, content that is not base64, too much
 */
export async function loadAttachments(
  attachments: readonly Attachment[],
  files: FileAccess,
  signal: AbortSignal,
  onLoaded: (share: number) => Promise<void>,
): Promise<LoadedAttachment[]> {
  const loaded: LoadedAttachment[] = [];
  let left = MAX_ATTACHMENT_BYTES;
  for (const attachment of attachments) {
    signal.throwIfAborted();
    const content = await contentOf(attachment, files, left, signal);
    left -= content.length;
    if (left < 0) throw tooLarge();
    loaded.push({
      filename: attachment.filename ?? basename(attachment.path ?? 'attachment'),
      content,
      ...(attachment.content_type !== undefined && { contentType: attachment.content_type }),
      ...(attachment.cid !== undefined && { cid: attachment.cid }),
    });
    await onLoaded(loaded.length / attachments.length);
  }
  return loaded;
}

async function contentOf(
  { content, encoding, path, filename }: Attachment,
  files: FileAccess,
  left: number,
  signal: AbortSignal,
): Promise<Buffer> {
  if (path !== undefined) {
    const real = await files.forReading(path);
    if ((await stat(real)).size > left) throw tooLarge();
    return readFile(real, { signal });
  }
  if (encoding !== 'base64') return Buffer.from(content ?? '', 'utf8');
  const compact = (content ?? '').replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact))
    throw new FatalError(`the attachment ${filename ?? ''} is not valid base64`);
  return Buffer.from(compact, 'base64');
}

const tooLarge = (): FatalError =>
  new FatalError(`the attachments are larger than ${MAX_ATTACHMENT_BYTES} bytes together`);
