import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type DoctorOptions, type DoctorReport, runDoctor } from '#main/doctor';
import { findRedisProgram } from '#main/local-redis/find';
import { systemClock } from '#queue/kernel/clock';
import { silentLog } from '#queue/kernel/log';
import type { RedisOptions } from '#queue/redis/options';
import { probe } from '#queue/redis/probe';
import { freePort, type RedisServer, startRedis } from '../support/redis-server';

let dataDir: string;
let servers: RedisServer[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-doctor-'));
  servers = [];
});

afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(dataDir, { recursive: true, force: true });
});

async function redisWith(...args: string[]): Promise<RedisServer> {
  const server = await startRedis({ args });
  servers.push(server);
  return server;
}

const single = ({ host, port }: { host: string; port: number }, access: Partial<RedisOptions> = {}): RedisOptions => ({
  kind: 'single',
  nodes: [{ host, port }],
  db: 0,
  username: null,
  password: null,
  tls: null,
  prefix: 'mr',
  ...access,
});

const examine = (options: Partial<DoctorOptions>) =>
  runDoctor({
    redis: null,
    findProgram: () => findRedisProgram({ resourcesDir: null, searchPath: process.env.PATH ?? '' }),
    dataDir,
    api: null,
    loadHandlers: null,
    clock: systemClock,
    log: silentLog,
    random: Math.random,
    ...options,
  });

const check = (report: DoctorReport, name: string) => report.checks.find((candidate) => candidate.name === name);

it('finds nothing wrong with a server that keeps its data and a user who may do everything, and leaves no key', async () => {
  const redis = await redisWith('--appendfsync', 'everysec');
  const report = await examine({
    redis: single(redis),
    api: { host: '127.0.0.1', port: await freePort() },
    loadHandlers: async () => ({ types: ['thumbnail'], problems: [] }),
  });
  expect(report.checks.filter(({ state }) => state !== 'ok')).toEqual([]);
  expect(report.state).toBe('ok');
  expect(report.checks.map(({ name }) => name)).toEqual([
    'redis transport',
    'redis address',
    'redis connection',
    'redis login',
    'redis version',
    'redis role',
    'eviction policy',
    'persistence',
    'memory',
    'rights',
    'store layout',
    'queues',
    'latency',
    'clock',
    'api port',
    'data folder',
    'handlers',
  ]);
  expect(await probe(redis, (connection) => connection.call('DBSIZE'))).toBe(0);
});

it('fails a server that deletes tasks when its memory is full', async () => {
  const redis = await redisWith('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru');
  const report = await examine({ redis: single(redis) });
  expect(report.state).toBe('fail');
  expect(check(report, 'eviction policy')).toMatchObject({
    state: 'fail',
    cure: expect.stringContaining('CONFIG SET maxmemory-policy noeviction'),
  });
});

it('warns of a server with snapshots only, and fails one that keeps nothing', async () => {
  const snapshots = await redisWith('--appendonly', 'no', '--save', '3600 1');
  expect(check(await examine({ redis: single(snapshots) }), 'persistence')).toMatchObject({ state: 'warn' });
  const nothing = await redisWith('--appendonly', 'no');
  expect(check(await examine({ redis: single(nothing) }), 'persistence')).toMatchObject({
    state: 'fail',
    cure: expect.stringContaining('appendonly yes'),
  });
});

it('names the key of a queue that is not what it should be, and tells of repairs', async () => {
  const redis = await redisWith();
  await probe(redis, async (connection) => {
    await connection.call('SADD', 'mr:{_sys}:queues', 'a', 'b');
    await connection.call('HSET', 'mr:{a}:meta', 'repaired', '3', 'repaired_at', '1800000000000');
  });
  expect(check(await examine({ redis: single(redis) }), 'queues')).toMatchObject({
    state: 'warn',
    detail: expect.stringContaining('3 in a, the last at 2027-01-15'),
  });
  await probe(redis, (connection) => connection.call('SET', 'mr:{b}:pending', 'planted'));
  expect(check(await examine({ redis: single(redis) }), 'queues')).toMatchObject({
    state: 'fail',
    detail: expect.stringContaining('mr:{b}:pending is a string, not a zset'),
    cure: expect.stringContaining('DEL'),
  });
});

it('warns when memory is nearly used up', async () => {
  const redis = await redisWith('--maxmemory', '3mb');
  await probe(redis, async (connection) => {
    const used = Number((await connection.info('memory')).get('used_memory'));
    await connection.call('CONFIG', 'SET', 'maxmemory', Math.round(used * 1.1));
  });
  const report = await examine({ redis: single(redis) });
  expect(['warn', 'fail']).toContain(check(report, 'memory')?.state);
});

it('names the commands that an ACL user lacks, and the rule that grants them', async () => {
  const redis = await redisWith();
  await probe(redis, (connection) =>
    connection.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~mr:*', '+@all', '-zadd', '-xread', '-config'),
  );
  const report = await examine({ redis: single(redis, { username: 'app', password: 'pw' }) });
  expect(check(report, 'rights')).toMatchObject({ state: 'fail' });
  expect(check(report, 'rights')?.detail).toContain('ZADD');
  expect(check(report, 'rights')?.cure).toBe('ACL SETUSER app ~mr:* +zadd +xread');
  await probe(redis, (connection) => connection.call('ACL', 'SETUSER', 'app', '+zadd', '+xread'));
  const mended = await examine({ redis: single(redis, { username: 'app', password: 'pw' }) });
  expect(check(mended, 'rights')?.state).toBe('ok');
});

it('tells missing rights on keys from missing rights on commands', async () => {
  const redis = await redisWith();
  await probe(redis, (connection) => connection.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~other:*', '+@all'));
  const report = await examine({ redis: single(redis, { username: 'app', password: 'pw' }) });
  expect(check(report, 'rights')).toMatchObject({ state: 'fail', cure: 'ACL SETUSER app ~mr:*' });
});

it('skips what a user may not ask, and goes on', async () => {
  const redis = await redisWith();
  await probe(redis, (connection) =>
    connection.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~mr:*', '+@all', '-info', '-config'),
  );
  const report = await examine({ redis: single(redis, { username: 'app', password: 'pw' }) });
  expect(check(report, 'eviction policy')?.state).toBe('skipped');
  expect(check(report, 'latency')?.state).toBe('ok');
});

it('tells a closed port, a missing and a wrong password, and a replica from each other', async () => {
  const closed = await examine({ redis: single({ host: '127.0.0.1', port: await freePort() }) });
  expect(check(closed, 'redis connection')?.detail).toContain('nothing listens');
  expect(check(closed, 'redis login')).toBeUndefined();

  const locked = await redisWith('--requirepass', 'secret');
  expect(check(await examine({ redis: single(locked) }), 'redis login')?.detail).toBe('a password is needed');
  const wrong = await examine({ redis: single(locked, { password: 'guess' }) });
  expect(check(wrong, 'redis login')?.detail).toContain('wrong');

  const open = await redisWith();
  const needless = await examine({ redis: single(open, { password: 'secret' }) });
  expect(check(needless, 'redis login')?.cure).toContain('Leave the password out');

  const replica = await redisWith('--replicaof', '127.0.0.1', String(open.port));
  expect(check(await examine({ redis: single(replica) }), 'redis role')).toMatchObject({ state: 'fail' });
});

it('asks the sentinels for the master, and says so when none of them answers', async () => {
  const redis = await redisWith();
  const [port, closedPort] = [await freePort(), await freePort()];
  const conf = join(dataDir, 'sentinel.conf');
  writeFileSync(conf, `port ${port}\ndir "${dataDir}"\nsentinel monitor main 127.0.0.1 ${redis.port} 1\n`);
  const sentinel = spawn('redis-server', [conf, '--sentinel', '--bind', '127.0.0.1'], { stdio: 'ignore' });
  const behind = (...ports: number[]): RedisOptions => ({
    ...single(redis),
    kind: 'sentinel',
    master: 'main',
    nodes: ports.map((number) => ({ host: '127.0.0.1', port: number })),
  });
  try {
    await vi.waitFor(() => probe({ host: '127.0.0.1', port }, (connection) => connection.ping()), { timeout: 5_000 });
    const report = await examine({ redis: behind(closedPort, port) });
    expect(check(report, 'redis sentinels')?.detail).toBe(`the master is 127.0.0.1:${redis.port}`);
    expect(check(report, 'rights')?.state).toBe('ok');
    expect(check(await examine({ redis: behind(closedPort) }), 'redis sentinels')?.state).toBe('fail');
  } finally {
    const exited = once(sentinel, 'exit');
    sentinel.kill('SIGKILL');
    await exited;
  }
});

it('tells a free port, one that Millrace serves, and one that another program has', async () => {
  const portOf = (server: { address(): unknown }) => (server.address() as { port: number }).port;
  const foreign = createServer((socket) => socket.end('hello\r\n')).listen(0, '127.0.0.1');
  const ours = createHttpServer((_, response) => response.end('{"status":"ok","version":"0.1.0"}')).listen(
    0,
    '127.0.0.1',
  );
  await Promise.all([once(foreign, 'listening'), once(ours, 'listening')]);
  const redis = single(await redisWith());
  try {
    const port = (number: number) => examine({ redis, api: { host: '127.0.0.1', port: number } });
    expect(check(await port(portOf(foreign)), 'api port')).toMatchObject({
      state: 'fail',
      cure: expect.stringContaining('APP_PORT'),
    });
    expect(check(await port(portOf(ours)), 'api port')).toMatchObject({
      state: 'ok',
      detail: expect.stringContaining('0.1.0'),
    });
  } finally {
    foreign.close();
    ours.close();
  }
});

it('names handler files that do not load, and reports a loader that breaks as a failure of its own', async () => {
  const redis = single(await redisWith());
  const broken = await examine({
    redis,
    loadHandlers: async () => ({ types: ['a'], problems: [{ file: 'b.ts', message: 'Unexpected token' }] }),
  });
  expect(check(broken, 'handlers')).toMatchObject({
    state: 'fail',
    detail: expect.stringContaining('b.ts: Unexpected token'),
    cure: expect.stringContaining('does not start'),
  });
  const thrown = await examine({ redis, loadHandlers: () => Promise.reject(new Error('no such folder')) });
  expect(check(thrown, 'handlers')).toMatchObject({ state: 'fail', detail: 'no such folder' });
});

it('examines the local Redis where none is configured, and leaves nothing running', async () => {
  const report = await examine({});
  expect(report.checks.filter(({ state }) => state === 'fail')).toEqual([]);
  expect(check(report, 'redis program')?.detail).toMatch(/\d+\.\d+\.\d+/);
  expect(check(report, 'persistence')).toMatchObject({ state: 'ok', detail: 'AOF, appendfsync everysec' });
  expect(readdirSync(join(dataDir, 'redis'))).not.toContain('server.json');
  expect(readdirSync(join(dataDir, 'redis', 'users'))).toEqual([]);
});

it('says what to install where there is no server program', async () => {
  const report = await examine({ findProgram: () => findRedisProgram({ resourcesDir: null, searchPath: '' }) });
  expect(check(report, 'redis program')).toMatchObject({
    state: 'fail',
    detail: expect.stringContaining('Install one'),
  });
  expect(report.state).toBe('fail');
});
