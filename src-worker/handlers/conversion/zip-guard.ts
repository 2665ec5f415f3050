/** A workbook is a zip, and a small zip can unfold into more than the machine has: what is inside is measured first. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FatalError } from '../../handler';

/** Small steps: one byte of deflate can stand for a thousand. */
const CHUNK_BYTES = 16 * 1024;
/** `PK`. */
const ZIP_MAGIC = 0x504b;

/** Unpacks and forgets. @throws FatalError where the unpacked files have more than `maxBytes` together, or it is no zip */
export async function requireBoundedZip(zip: Buffer, maxBytes: number): Promise<void> {
  if (zip.length < 4 || zip.readUInt16BE(0) !== ZIP_MAGIC) throw new FatalError('not a workbook: it is no zip archive');
  const { Unzip, UnzipInflate } = await import('fflate');
  let bytes = 0;
  let fault: Error | null = null;
  const unzip = new Unzip((file) => {
    file.ondata = (error, data) => {
      fault ??= error ?? null;
      bytes += data?.length ?? 0;
    };
    file.start();
  });
  unzip.register(UnzipInflate);
  for (let from = 0; from < zip.length; from += CHUNK_BYTES) {
    try {
      unzip.push(zip.subarray(from, from + CHUNK_BYTES), from + CHUNK_BYTES >= zip.length);
    } catch (cause) {
      throw new FatalError('not a workbook: its zip archive is damaged', { cause });
    }
    if (fault !== null) throw new FatalError('not a workbook: its zip archive is damaged', { cause: fault });
    if (bytes > maxBytes) throw new FatalError(`the workbook unpacks to more than ${maxBytes / 2 ** 20} MiB`);
    await nextTurn();
  }
}
