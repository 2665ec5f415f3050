/**
 * Starts a redis-server of our own in its directory: detached, so that it outlives a crash of this process, and with
 * its pid on disk before anything else happens, so that whoever comes next finds it. To be called under the lock.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import { ProbeError } from '#queue/redis/probe';
import { HOST, type LocalAddress, waitUntilReady } from './ask';
import type { RedisProgram } from './find';
import { LocalRedisError } from './local-redis-error';
import { markOf, type ProcessMark } from './process-mark';
import { redisConf } from './redis-conf';
import { forgetServer, type Layout, writePrivate, writeServer } from './server-file';

export interface StartOptions {
  program: RedisProgram;
  layout: Layout;
  password: string;
  /** Taken again if it is free: connections to the server before find this one. */
  preferredPort: number | null;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

export interface OwnServer {
  address: LocalAddress;
  process: ProcessMark;
  /** Aborted when the process has ended; null for one that is not our child: look at its mark. */
  ended: AbortSignal | null;
}

const ANSWER_MS = 20_000;
const PORT_ATTEMPTS = 5;
const LOG_TAIL_BYTES = 16 * 1024;
const LOG_MAX_BYTES = 4 * 1024 * 1024;

/** @returns null when it was aborted; the server may run then, and is found by its file. @throws {LocalRedisError} corrupt or failed */
export async function startServer(options: StartOptions): Promise<OwnServer | null> {
  const { layout, preferredPort, log, signal } = options;
  rotateLog(layout.log);
  for (let attempt = 1; ; attempt++) {
    const port =
      attempt === 1 && preferredPort !== null && (await isFree(preferredPort)) ? preferredPort : await freePort();
    const logStart = sizeOf(layout.log);
    const outcome = await launch(options, port);
    if (outcome !== null || signal.aborted) return outcome;
    forgetServer(layout);
    const said = readTail(layout.log, logStart);
    if (attempt < PORT_ATTEMPTS && /Address already in use|bind: /i.test(said)) {
      log.warn('the port of the local Redis was taken meanwhile; trying another', { port });
      continue;
    }
    throw whyItEnded(options, said);
  }
}

/** @returns null when it ended before it was ready, or the start was aborted */
async function launch(options: StartOptions, port: number): Promise<OwnServer | null> {
  const { program, layout, password, clock, log, signal } = options;
  writePrivate(layout.conf, redisConf({ port, password, dir: layout.dir, log: layout.log }));
  const child = spawn(program.path, [layout.conf], {
    cwd: layout.dir,
    detached: true,
    stdio: 'ignore',
    windowsHide: true,
    env: {}, // nothing of ours is its business, and secrets of ours least
  });
  const ended = new AbortController();
  child.once('exit', () => ended.abort());
  child.once('error', () => ended.abort());
  if (child.pid === undefined) {
    const [error] = await once(child, 'error');
    throw new LocalRedisError('failed', `${program.path} could not be started: ${String(error)}`, error);
  }
  const mark = markOf(child.pid) ?? { pid: child.pid, startTicks: '' };
  writeServer(layout, { ...mark, port, runId: null });
  child.unref();
  log.info('starting the local Redis', { program: program.path, version: program.version, pid: mark.pid, port });

  const address = { host: HOST, port, password };
  try {
    const facts = await waitUntilReady(address, {
      clock,
      signal,
      answerMs: ANSWER_MS,
      alive: () => !ended.signal.aborted,
      onLoading: (percent) => log.info('the local Redis is reading its data', { percent }),
    });
    if (facts === null) {
      if (!signal.aborted) child.kill('SIGKILL'); // silent for ANSWER_MS; no effect on one that has ended
      return null;
    }
    writeServer(layout, { ...mark, port, runId: facts.runId });
    return { address, process: mark, ended: ended.signal };
  } catch (error) {
    child.kill('SIGKILL');
    if (error instanceof ProbeError) return null; // somebody else has the port: the log says so
    throw error;
  }
}

function whyItEnded({ program, layout }: StartOptions, said: string): LocalRedisError {
  if (
    /Bad file format reading the append only file|AOF.*(corrupt|not valid)|Unrecoverable error|Internal error in RDB|Wrong signature/i.test(
      said,
    )
  ) {
    return new LocalRedisError(
      'corrupt',
      `The local Redis refuses its data in ${layout.dir}: the append-only file is damaged. Keep a copy of the folder, then run: redis-check-aof --fix "${layout.manifest}" (it cuts the file at the damage), and start again. Its log: ${layout.log}`,
    );
  }
  if (/Can't handle RDB format version/i.test(said)) {
    return new LocalRedisError(
      'corrupt',
      `The data in ${layout.dir} was written by a newer server than ${program.path} ${program.version}: use that one, or a newer one.`,
    );
  }
  const last = said.trim().split('\n').slice(-3).join(' | ');
  return new LocalRedisError(
    'failed',
    `The local Redis (${program.path}) did not start. Its log ${layout.log} ends: ${last || '(nothing)'}`,
  );
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const outcome = new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.once('listening', () => server.close(() => resolve(true)));
  });
  server.listen(port, HOST);
  return outcome;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new LocalRedisError('failed', 'no free port on loopback');
  return address.port;
}

function rotateLog(path: string): void {
  if (sizeOf(path) > LOG_MAX_BYTES) renameSync(path, `${path}.1`);
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** What was written to the log since `from`, its last part. */
function readTail(path: string, from: number): string {
  const size = sizeOf(path);
  const start = Math.max(from, size - LOG_TAIL_BYTES);
  if (size <= start) return '';
  const buffer = Buffer.alloc(size - start);
  const file = openSync(path, 'r');
  try {
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, start));
  } finally {
    closeSync(file);
  }
}
