/**
 * Files that belong to a task: each task has a folder of its own below the artifacts folder. A file appears whole or
 * not at all: it is written beside and renamed, which also replaces a link that somebody put at its name.
 */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Artifact, type Artifacts, FatalError } from './handler';

const NAME_BYTES = 200;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a file's name may not have
const BAD_NAME = /[\u0000-\u001f\u007f/\\:*?"<>|]|^\.|[. ]$/;

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.avif': 'image/avif',
  '.csv': 'text/csv',
  '.eml': 'message/rfc822',
  '.gif': 'image/gif',
  '.html': 'text/html',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.md': 'text/markdown',
  '.ndjson': 'application/x-ndjson',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.webp': 'image/webp',
  '.xlsx': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  '.xml': 'application/xml',
  '.yaml': 'application/yaml',
  '.yml': 'application/yaml',
  '.zip': 'application/zip',
};

export const mediaTypeOf = (name: string): string =>
  MEDIA_TYPES[extname(name).toLowerCase()] ?? 'application/octet-stream';

/** The folder of one task's artifacts, whether or not it is there yet. */
export const artifactFolder = (root: string, taskId: string): string => join(resolve(root), taskId);

export class TaskArtifacts implements Artifacts {
  readonly folder: string;
  readonly #signal: AbortSignal;

  constructor(root: string, taskId: string, signal: AbortSignal) {
    this.folder = artifactFolder(root, taskId);
    this.#signal = signal;
  }

  /** @throws FatalError for a name that is not a plain file name */
  async write(name: string, data: string | Uint8Array | Readable, mediaType?: string): Promise<Artifact> {
    if (name === '' || BAD_NAME.test(name) || Buffer.byteLength(name) > NAME_BYTES) {
      throw new FatalError(
        `"${name.slice(0, NAME_BYTES)}" is not a name for an artifact: a plain file name is, at most ${NAME_BYTES} bytes`,
      );
    }
    await mkdir(this.folder, { recursive: true });
    const path = join(this.folder, name);
    const unfinished = join(this.folder, `.${randomUUID()}.part`);
    try {
      const source = data instanceof Readable ? data : Readable.from([data]);
      await pipeline(source, createWriteStream(unfinished, { flags: 'wx', mode: 0o600 }), { signal: this.#signal });
      await rename(unfinished, path);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
    return { name, path, bytes: (await stat(path)).size, media_type: mediaType ?? mediaTypeOf(name) };
  }
}
