import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { LocalRedis, LocalRedisDeps, LocalRedisState } from '#main/local-redis/local-redis';
import { commandLineOf, isAlive, markOf } from '#main/local-redis/process-mark';
import { systemClock } from '#queue/kernel/clock';
import { probe } from '#queue/redis/probe';
import { localRedisIn } from '../support/local-redis';
import { startRedis } from '../support/redis-server';

let dataDir: string;
let children: ChildProcess[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-local-'));
  children = [];
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const pid of serversOf(dataDir)) process.kill(pid, 'SIGKILL');
  await vi.waitFor(() => expect(serversOf(dataDir)).toEqual([]));
  rmSync(dataDir, { recursive: true, force: true });
});

const localRedis = (deps: Partial<LocalRedisDeps> = {}) => localRedisIn(dataDir, deps);

const file = (...parts: string[]) => join(dataDir, 'redis', ...parts);
const call = (redis: LocalRedis, command: string, ...args: string[]) =>
  probe(redis.options(), (connection) => connection.call(command, ...args));

const AOF = ['appendonlydir', 'appendonly.aof.1.incr.aof'];
/** While the disk is busy with a sync, Redis answers first and writes up to two seconds later. */
const written = (key: string) =>
  vi.waitFor(() => expect(readFileSync(file(...AOF), 'utf8')).toContain(key), { timeout: 10_000 });

/** Pids of all servers on this directory, whoever started them. */
function serversOf(dir: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(
      (pid) => markOf(pid) !== null && (commandLineOf(pid) ?? []).join(' ').includes(join(dir, 'redis', 'redis.conf')),
    );
}

/** Another process that starts the local Redis and stops it when its input ends. */
async function starter(): Promise<{ child: ChildProcess; port: number; pid: number; end: () => Promise<void> }> {
  const script = resolve('tests/support/fixtures/local-redis-starter.ts');
  const child = spawn(process.execPath, ['--import', 'jiti/register', script, dataDir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const end = async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  };
  return { child, ...(JSON.parse(String(line)) as { port: number; pid: number }), end };
}

it('starts a server that only the owner of its files can use, and that keeps every write', async () => {
  const redis = localRedis();
  await redis.start();
  const { host, port, password } = redis.options();
  expect(host).toBe('127.0.0.1');
  expect(password).toMatch(/^[0-9a-f]{64}$/);
  await expect(probe({ host, port }, (connection) => connection.ping())).rejects.toMatchObject({ code: 'auth' });
  await probe(redis.options(), async (connection) => {
    expect(await connection.configGet('appendonly')).toBe('yes');
    expect(await connection.configGet('appendfsync')).toBe('everysec');
    expect(await connection.configGet('maxmemory-policy')).toBe('noeviction');
    expect(await connection.configGet('bind')).toBe('127.0.0.1');
  });
  expect(statSync(file('auth')).mode & 0o777).toBe(0o600);
  expect(statSync(file('redis.conf')).mode & 0o777).toBe(0o600);
  expect(statSync(file()).mode & 0o777).toBe(0o700);
  expect(readFileSync(`/proc/${redis.pid}/cmdline`, 'utf8')).not.toContain(password);
  expect(readFileSync(`/proc/${redis.pid}/environ`, 'utf8')).toBe('');
  await redis.stop();
});

it('leaves no process, no record and no claim after stop, and finds its data at the next start', async () => {
  const first = localRedis();
  await first.start();
  const { pid } = first;
  const { password } = first.options();
  await call(first, 'SET', 'kept', 'yes');
  await first.stop();
  await first.stop();
  expect(first.pid).toBeNull();
  expect(markOf(pid ?? 0)).toBeNull();
  expect(serversOf(dataDir)).toEqual([]);
  expect(existsSync(file('server.json'))).toBe(false);
  expect(readdirSync(file('users'))).toEqual([]);
  expect(readdirSync(file('starting'))).toEqual([]);

  const second = localRedis();
  await second.start();
  expect(second.options().password).toBe(password);
  expect(await call(second, 'GET', 'kept')).toBe('yes');
  await second.stop();
});

it('survives kill -9 of the process that started it, and is adopted by the next', async () => {
  const before = await starter();
  before.child.kill('SIGKILL');
  await once(before.child, 'exit');

  const redis = localRedis({ find: () => Promise.reject(new Error('an adopting process starts nothing')) });
  await redis.start();
  expect(redis.options().port).toBe(before.port);
  expect(redis.pid).toBe(before.pid);
  await redis.stop();
  expect(serversOf(dataDir)).toEqual([]);
});

it('starts one server when several processes and instances start at the same moment', async () => {
  const [a, b] = [localRedis(), localRedis()];
  const [other, another] = await Promise.all([starter(), starter(), a.start(), b.start()]);
  expect(new Set([other.pid, another.pid, a.pid, b.pid]).size).toBe(1);
  expect(serversOf(dataDir)).toEqual([other.pid]);

  // Whoever leaves first must not take it away from the others.
  await Promise.all([a.stop(), other.end()]);
  await call(b, 'SET', 'still', 'here');
  await b.stop();
  expect(serversOf(dataDir)).toEqual([another.pid]);
  await another.end();
  expect(serversOf(dataDir)).toEqual([]);
});

it('starts a crashed server again on the same port, with its data, and tells of both', async () => {
  const states: LocalRedisState[] = [];
  const redis = localRedis({ onState: (state) => states.push(state) });
  await redis.start();
  const { pid } = redis;
  const before = redis.options();
  await call(redis, 'SET', 'crashed', '1');
  await written('crashed');
  process.kill(pid ?? 0, 'SIGKILL');
  await vi.waitFor(() => expect(states.map((state) => state.up)).toEqual([false, true]), { timeout: 10_000 });
  expect(redis.pid).not.toBe(pid);
  expect(redis.options()).toEqual(before);
  expect(await call(redis, 'GET', 'crashed')).toBe('1');
  await redis.stop();
});

it('watches an adopted server too, which is no child of its own', async () => {
  const before = await starter();
  before.child.kill('SIGKILL');
  await once(before.child, 'exit');
  const states: LocalRedisState[] = [];
  const redis = localRedis({ onState: (state) => states.push(state) });
  await redis.start();
  process.kill(before.pid, 'SIGKILL');
  await vi.waitFor(() => expect(states.map((state) => state.up)).toEqual([false, true]), { timeout: 10_000 });
  expect(redis.options().port).toBe(before.port);
  await redis.stop();
});

it('recovers when process and server were both killed, and when the tail of the AOF is cut off', async () => {
  const before = await starter();
  const target = { host: '127.0.0.1', port: before.port, password: readFileSync(file('auth'), 'utf8').trim() };
  await probe(target, async (connection) => {
    await connection.call('SET', 'first', '1');
    await connection.call('SET', 'second', '2');
  });
  await written('second');
  before.child.kill('SIGKILL');
  process.kill(before.pid, 'SIGKILL');
  await vi.waitFor(() => expect(serversOf(dataDir)).toEqual([]));
  const aof = file(...AOF);
  truncateSync(aof, statSync(aof).size - 3);

  const redis = localRedis();
  await redis.start();
  expect(redis.pid).not.toBe(before.pid);
  expect(await call(redis, 'GET', 'first')).toBe('1');
  expect(await call(redis, 'GET', 'second')).toBeNull(); // the command that was cut
  await redis.stop();
});

it('says how to mend an AOF that is damaged in the middle, and leaves nothing running', async () => {
  const first = localRedis();
  await first.start();
  await call(first, 'SET', 'a', 'x'.repeat(100));
  await first.stop();
  const aof = file(...AOF);
  writeFileSync(aof, Buffer.concat([Buffer.from('*not an aof\r\n'), readFileSync(aof)]));

  const redis = localRedis();
  await expect(redis.start()).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining('redis-check-aof --fix'),
  });
  await redis.stop();
  expect(serversOf(dataDir)).toEqual([]);
  expect(readdirSync(file('users'))).toEqual([]);
});

it('takes no stranger for its server: a record with the pid of another program, or a port with another password', async () => {
  const stranger = await startRedis({ args: ['--requirepass', 'other'] });
  const mark = markOf(process.pid);
  const redis = localRedis();
  try {
    const first = localRedis();
    await first.start();
    await first.stop();
    writeFileSync(file('server.json'), JSON.stringify({ ...mark, port: stranger.port, runId: null }));
    await redis.start();
    expect(redis.options().port).not.toBe(stranger.port);
    expect(redis.pid).not.toBe(process.pid);
    await redis.stop();
    expect(isAlive(markOf(stranger.pid) ?? { pid: 0, startTicks: '' })).toBe(true);
  } finally {
    await redis.stop();
    await stranger.stop();
  }
});

it('finds the server that runs also when its record was lost', async () => {
  const before = await starter();
  before.child.kill('SIGKILL');
  await once(before.child, 'exit');
  rmSync(file('server.json'));
  const redis = localRedis();
  await redis.start();
  expect(redis.pid).toBe(before.pid);
  await redis.stop();
});

it('ends a server of its own that no longer answers before it starts another', async () => {
  const before = await starter();
  before.child.kill('SIGKILL');
  await once(before.child, 'exit');
  process.kill(before.pid, 'SIGSTOP');
  const impatient = { ...systemClock, monotonic: () => systemClock.monotonic() * 20 }; // its deadlines pass sooner
  const redis = localRedis({ clock: impatient });
  await redis.start();
  expect(redis.pid).not.toBe(before.pid);
  expect(serversOf(dataDir)).toEqual([redis.pid]);
  await redis.stop();
});

it('can be stopped before it was started, and while it starts', async () => {
  await localRedis().stop();
  const redis = localRedis();
  const starting = redis.start();
  await redis.stop();
  await starting.catch(() => undefined); // either outcome is allowed: only what is left counts
  expect(serversOf(dataDir)).toEqual([]);
});
