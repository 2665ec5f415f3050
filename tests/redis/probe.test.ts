import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ProbeError, probe, probeTarget } from '#queue/redis/probe';
import { freePort, type RedisServer, startRedis } from '../support/redis-server';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ args: ['--requirepass', 'secret'] });
});
afterAll(() => redis.stop());

const target = () => ({ host: redis.host, port: redis.port, password: 'secret' });
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: unknown) => (error instanceof ProbeError ? error.code : String(error)),
  );

it('answers PING, INFO, CONFIG GET and TIME', async () => {
  await probe(target(), async (connection) => {
    await connection.ping();
    const info = await connection.info('server');
    expect(Number(info.get('process_id'))).toBe(redis.pid);
    expect(await connection.configGet('appendonly')).toBe('yes');
    expect(await connection.configGet('no-such-parameter')).toBeNull();
    expect(Math.abs((await connection.timeMs()) - Date.now())).toBeLessThan(5_000);
  });
});

it('tells a missing and a wrong password from a server that is not there', async () => {
  expect(await codeOf(probe({ host: redis.host, port: redis.port }, (c) => c.ping()))).toBe('auth');
  expect(await codeOf(probe({ ...target(), password: 'wrong' }, (c) => c.ping()))).toBe('auth');
  expect(await codeOf(probe({ host: '127.0.0.1', port: await freePort() }, (c) => c.ping()))).toBe('unreachable');
  expect(await codeOf(probe({ ...target(), host: 'no-such-host.invalid' }, (c) => c.ping()))).toBe('unreachable');
});

it('gives up in time on a server that accepts and never answers', async () => {
  const mute = createServer().listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const address = mute.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  try {
    expect(await codeOf(probe({ host: '127.0.0.1', port, timeoutMs: 200 }, (c) => c.ping()))).toBe('timeout');
  } finally {
    mute.close();
  }
});

it('tells a command that the ACL forbids from one that fails', async () => {
  await probe(target(), (c) => c.call('ACL', 'SETUSER', 'reader', 'on', '>pw', '~*', '+get', '+ping', '+set'));
  const reader = { ...target(), username: 'reader', password: 'pw' };
  expect(await codeOf(probe(reader, (c) => c.configGet('dir')))).toBe('denied');
  expect(await codeOf(probe(reader, (c) => c.call('SET', 'a')))).toBe('refused');
});

it('ends a server, and knows a single server as its own target', async () => {
  const own = await startRedis();
  const options = {
    kind: 'single',
    nodes: [{ host: own.host, port: own.port }],
    db: 0,
    username: null,
    password: null,
    tls: null,
    prefix: 'mr',
  } as const;
  const found = await probeTarget({ ...options, nodes: [...options.nodes] });
  await probe(found, (c) => c.shutdown());
  expect(await codeOf(probe(found, (c) => c.ping()))).toBe('unreachable');
  await own.stop();
});
