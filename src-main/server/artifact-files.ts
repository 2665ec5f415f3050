/**
 * Files that tasks wrote: each task's lie in a folder with its id. A name leads to a file of that folder and nowhere
 * else: no separators, no dot names, no links.
 */
import { constants, createReadStream } from 'node:fs';
import { lstat, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { isoTime } from '#queue/contract/primitives';
import { mediaTypeByName } from './media-types';

export interface ArtifactFile {
  name: string;
  bytes: number;
  media_type: string;
  modified_at: string;
}

/** Files listed of one task. */
const MAX_LISTED = 1000;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const UNSAFE_NAME = /[/\\\u0000-\u001f\u007f]/;

export const isArtifactName = (name: string): boolean =>
  name !== '' && !name.startsWith('.') && !UNSAFE_NAME.test(name);

/** By name; empty where the task wrote none. */
export async function listArtifacts(root: string, id: string): Promise<ArtifactFile[]> {
  const names = await readdir(join(root, id)).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const files: ArtifactFile[] = [];
  for (const name of names.filter(isArtifactName).sort().slice(0, MAX_LISTED)) {
    const stats = await lstat(join(root, id, name));
    if (stats.isFile()) {
      files.push({
        name,
        bytes: stats.size,
        media_type: mediaTypeByName(name),
        modified_at: isoTime(Math.floor(stats.mtimeMs)),
      });
    }
  }
  return files;
}

/** All files of a task; nothing where it wrote none. */
export const removeArtifacts = (root: string, id: string): Promise<void> =>
  rm(join(root, id), { recursive: true, force: true });

/** @returns null where there is no such file; the stream ends by itself, or with the answer that it is the body of */
export async function openArtifact(
  root: string,
  id: string,
  name: string,
): Promise<{ bytes: number; body: ReadableStream } | null> {
  if (!isArtifactName(name)) return null;
  const path = join(root, id, name);
  const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (file === null) return null;
  const stats = await file.stat();
  if (!stats.isFile()) {
    await file.close();
    return null;
  }
  // A file that grows meanwhile must not break the declared length.
  const stream = createReadStream(path, { fd: file, start: 0, ...(stats.size > 0 && { end: stats.size - 1 }) });
  return { bytes: stats.size, body: Readable.toWeb(stream) as ReadableStream };
}

const MISSING = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'ENAMETOOLONG']);
const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && MISSING.has(String(error.code));
