/**
 * A real redis-server for one test file: its own port, its own temp dir, gone after `stop()`.
 * It is a direct child of the test process; a small guard ends it also when the test process is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

export interface RedisServer {
  readonly host: string;
  readonly port: number;
  /** Taken from a `--requirepass` in `args`. */
  readonly password?: string;
  readonly url: string;
  /** Temp dir with the AOF and redis.log. */
  readonly dir: string;
  /** Of the process that runs now; changes with `restart`. */
  readonly pid: number;
  /** Ends it (SIGTERM) and removes its data. Idempotent. */
  stop(): Promise<void>;
  /** SIGKILL; the data stays for `restart`. */
  kill9(): void;
  /** Ends it when it still runs (SIGTERM), then starts it on the same port, dir and arguments. Resolves when it answers. */
  restart(): Promise<void>;
}

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 15_000;

/**
 * Starts with `--save '' --appendonly yes --appendfsync no`: every reply's write is with the kernel, so data survives
 * `kill9`, and no test waits for a disk. `args` come after these, and win: `['--appendonly', 'no']`. With `config`, a
 * text for redis.conf, none of these is set: a sentinel knows them not. `through` is a command before it, that becomes it.
 */
export async function startRedis(
  options: {
    args?: readonly string[];
    config?: string;
    env?: Record<string, string>;
    through?: readonly string[];
  } = {},
): Promise<RedisServer> {
  const args = options.args ?? [];
  const binary = findServer();
  const dir = mkdtempSync(join(tmpdir(), 'millrace-redis-'));
  const passwordAt = args.indexOf('--requirepass');
  const password = passwordAt === -1 ? undefined : args[passwordAt + 1];
  let stopped = false;

  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const run = async () => launch(binary, dir, port, { ...options, args });
    try {
      let running = await run();
      return {
        host: HOST,
        port,
        ...(password === undefined ? {} : { password }),
        url: `redis://${password === undefined ? '' : `:${encodeURIComponent(password)}@`}${HOST}:${port}`,
        dir,
        get pid() {
          return running.pid;
        },
        kill9: () => running.child.kill('SIGKILL'),
        restart: async () => {
          await end(running);
          running = await run();
        },
        stop: async () => {
          if (stopped) return;
          stopped = true;
          await end(running);
          await rm(dir, { recursive: true, force: true });
        },
      };
    } catch (error) {
      // Somebody took the port between our look and redis-server's bind.
      if (attempt < 5 && readLog(dir).includes('Address already in use')) continue;
      await rm(dir, { recursive: true, force: true });
      throw error;
    }
  }
}

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

interface Running {
  child: ChildProcess;
  guard: ChildProcess;
  pid: number;
}

async function launch(
  binary: string,
  dir: string,
  port: number,
  {
    args,
    config,
    env,
    through = [],
  }: { args: readonly string[]; config?: string; env?: Record<string, string>; through?: readonly string[] },
): Promise<Running> {
  const base = ['--port', String(port), '--bind', HOST, '--dir', dir, '--logfile', join(dir, 'redis.log')];
  const fast = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'no', '--enable-debug-command', 'yes'];
  // jemalloc's thread waits by the wall clock: under one that stands it would take a whole core.
  fast.push('--jemalloc-bg-thread', 'no');
  const file = join(dir, 'redis.conf');
  if (config !== undefined) writeFileSync(file, config);
  const all = config === undefined ? [...base, ...fast, ...args] : [file, ...base, ...args];
  const [program = binary, ...before] = [...through, binary];
  const child = spawn(program, [...before, ...all], { stdio: 'ignore', env: { ...process.env, ...env } });
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const guard = spawn('/bin/sh', ['-c', 'cat >/dev/null; kill -9 "$1"; rm -rf "$2"', 'guard', String(pid), dir], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.unref();
  child.once('exit', () => guard.kill('SIGKILL')); // before the pid can belong to somebody else
  const running = { child, guard, pid };
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!(await answers(port))) {
    if (hasEnded(child) || performance.now() > deadline) {
      await end(running);
      throw new Error(`redis-server on port ${port} did not start:\n${readLog(dir).slice(-2000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return running;
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

async function end({ child, guard }: Running): Promise<void> {
  if (!hasEnded(child)) {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await exited;
    clearTimeout(force);
  }
  guard.kill('SIGKILL');
}

/** True once a PING is answered by anything but LOADING; a request for a password is an answer too. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: HOST, port });
    const done = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(1_000, () => done(false));
    socket.once('error', () => done(false));
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => done(!data.toString().startsWith('-LOADING')));
    socket.once('end', () => done(false));
  });
}

function findServer(): string {
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // not in this folder
      }
    }
  }
  throw new Error('these tests need redis-server (or valkey-server) on PATH: apt-get install redis-server');
}

function readLog(dir: string): string {
  try {
    return readFileSync(join(dir, 'redis.log'), 'utf8');
  } catch {
    return ''; // it ended before it opened its log
  }
}
