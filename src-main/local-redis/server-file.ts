/**
 * The layout of `<data>/redis/`, and the two small files that outlive us there: the password and which server runs.
 *
 *     auth            the password, 256 bits as hex, 0600; made once, kept for good
 *     server.json     pid, port and run id of the server that was started last; removed by a clean stop
 *     redis.conf      written at every start, 0600: the password is on no command line
 *     redis.log       of the server; the one before is redis.log.1
 *     appendonlydir/  the data
 *     starting/ users/  claims, see claims.ts
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { randomName } from '#queue/kernel/ids';
import { LocalRedisError } from './local-redis-error';

export interface Layout {
  dir: string;
  auth: string;
  serverFile: string;
  conf: string;
  log: string;
  manifest: string;
  starting: string;
  users: string;
}

export function layoutOf(dataDir: string): Layout {
  const dir = join(dataDir, 'redis');
  return {
    dir,
    auth: join(dir, 'auth'),
    serverFile: join(dir, 'server.json'),
    conf: join(dir, 'redis.conf'),
    log: join(dir, 'redis.log'),
    manifest: join(dir, 'appendonlydir', 'appendonly.aof.manifest'),
    starting: join(dir, 'starting'),
    users: join(dir, 'users'),
  };
}

const ServerRecord = z.object({
  pid: z.int().positive(),
  startTicks: z.string(),
  port: z.int().min(1).max(65_535),
  /** Redis draws a new one at each start; null until the server has answered for the first time. */
  runId: z.string().nullable(),
});
export type ServerRecord = z.infer<typeof ServerRecord>;

export function prepareDir(layout: Layout): void {
  try {
    mkdirSync(layout.dir, { recursive: true, mode: 0o700 });
    chmodSync(layout.dir, 0o700);
  } catch (error) {
    throw new LocalRedisError('failed', `the data folder ${layout.dir} cannot be used: ${String(error)}`, error);
  }
}

/** Null where no server was left running, or the file cannot be read: then there is nothing to adopt. */
export function readServer(layout: Layout): ServerRecord | null {
  const text = readOrNull(layout.serverFile);
  if (text === null) return null;
  try {
    return ServerRecord.parse(JSON.parse(text));
  } catch {
    return null; // half written by a machine that lost power: the server it named is gone as well
  }
}

export function writeServer(layout: Layout, record: ServerRecord): void {
  writePrivate(layout.serverFile, JSON.stringify(record));
}

export const forgetServer = (layout: Layout): void => rmSync(layout.serverFile, { force: true });

/** The password of this directory, made at the first call. To be called under the lock. */
export function readPassword(layout: Layout): string {
  const kept = readOrNull(layout.auth)?.trim();
  if (kept !== undefined && /^[0-9a-f]{64}$/.test(kept)) return kept; // a damaged one is replaced
  const password = randomBytes(32).toString('hex');
  writePrivate(layout.auth, `${password}\n`);
  return password;
}

/** Whole or not at all, also when the machine stops half-way, and never readable by others. */
export function writePrivate(path: string, text: string): void {
  const draft = `${path}.${randomName('new')}`;
  writeFileSync(draft, text, { mode: 0o600, flush: true });
  renameSync(draft, path);
}

/** Null where there is no such file. */
export function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
