/** This machine: the port of the API, the data folder, the handlers, and a server program where we need our own. */
import { once } from 'node:events';
import { access, constants, stat, statfs } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { RedisProgram } from '../local-redis/find';
import { LocalRedisError } from '../local-redis/local-redis-error';
import { type Finding, fail, ok, sizeText, skipped, warn } from './check';

export async function checkProgram(find: () => Promise<RedisProgram>): Promise<Finding> {
  try {
    const { path, kind, version, source } = await find();
    return ok(
      `${kind === 'valkey' ? 'Valkey' : 'Redis'} ${version}, ${source === 'bundled' ? 'bundled' : 'from PATH'}: ${path}`,
    );
  } catch (error) {
    if (error instanceof LocalRedisError) return fail(error.message, null); // the message is the cure
    throw error;
  }
}

const Health = z.object({ status: z.string(), version: z.string() });

/** Free, or ours already. */
export async function checkPort(host: string, port: number): Promise<Finding> {
  const server = createServer();
  const error = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    server.once('error', resolve);
    server.listen({ host, port }, () => resolve(null));
  });
  if (error === null) {
    server.close();
    await once(server, 'close');
    return ok(`${host}:${port} is free`);
  }
  if (error.code === 'EADDRINUSE') {
    const version = await millraceAt(host, port);
    if (version !== null) return ok(`${host}:${port} is served by Millrace ${version}`);
    return fail(
      `${host}:${port} is taken by another program`,
      'End that program, or choose another port with --port or APP_PORT.',
    );
  }
  if (error.code === 'EACCES') {
    return fail(`this user may not listen on ${host}:${port}`, 'Choose a port above 1023 with --port or APP_PORT.');
  }
  return fail(
    `${host}:${port} cannot be listened on: ${error.message}`,
    'Check --host or APP_HOST: it must be an address of this machine.',
  );
}

/** The version of the Millrace that answers there; null for anything else. */
async function millraceAt(host: string, port: number): Promise<string | null> {
  const connectHost = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const body = await new Promise<string | null>((resolve) => {
    const request = get({ host: connectHost, port, path: '/health', timeout: 1_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > 10_000) request.destroy();
      });
      response.once('end', () => resolve(text));
      response.once('error', () => resolve(null));
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(null));
    request.once('close', () => resolve(null));
  });
  if (body === null) return null;
  try {
    return Health.parse(JSON.parse(body)).version;
  } catch {
    return null; // some other program's answer
  }
}

const SPACE_FAIL_BYTES = 200 * 1024 ** 2;
const SPACE_WARN_BYTES = 1024 ** 3;

/** Writable, and with room. The folder itself need not be there yet. */
export async function checkDataFolder(path: string): Promise<Finding> {
  const folder = await nearestFolder(path);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch {
    return fail(
      `${folder} cannot be written to by this user`,
      'Change its owner, or choose another folder with MILLRACE_DATA_DIR.',
    );
  }
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const text = `${path}: ${sizeText(free)} free`;
  const cure = 'Free some space, or choose a folder on another disk with MILLRACE_DATA_DIR.';
  if (free < SPACE_FAIL_BYTES) return fail(text, cure);
  return free < SPACE_WARN_BYTES ? warn(text, cure) : ok(text);
}

async function nearestFolder(path: string): Promise<string> {
  for (let folder = path; ; folder = dirname(folder)) {
    const found = await stat(folder).catch(() => null);
    if (found?.isDirectory() || dirname(folder) === folder) return folder;
  }
}

/** What loading a folder of handlers came to. */
export interface HandlersLoaded {
  types: readonly string[];
  problems: readonly { file: string; message: string }[];
}

export async function checkHandlers(load: (() => Promise<HandlersLoaded>) | null): Promise<Finding> {
  if (load === null) return skipped('no folder of handlers was given (--handlers)');
  const { types, problems } = await load();
  if (problems.length > 0) {
    const list = problems.map(({ file, message }) => `${file}: ${message}`).join('; ');
    return fail(
      `${problems.length} of the handler files do not load: ${list}`,
      'Mend or remove them: a worker that is given this folder does not start.',
    );
  }
  if (types.length === 0)
    return warn('the folder holds no handler', 'A handler is a file whose default export is defineHandler({...}).');
  return ok(`${types.length} task type${types.length === 1 ? '' : 's'}: ${types.join(', ')}`);
}
