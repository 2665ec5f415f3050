import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ComposeDeps, composeServer, type ServerProcess } from '#main/compose';
import { loadConfig } from '#main/config';
import { systemClock } from '#queue/kernel/clock';
import { silentLog } from '#queue/kernel/log';
import { type RedisServer, startRedis } from '../support/redis-server';
import { StreamClient } from '../support/stream-world';

let dir: string;
let redis: RedisServer;
let server: ServerProcess;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-compose-'));
  redis = await startRedis();
});
afterEach(async () => {
  await server?.stop();
  await redis?.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function start(env: Record<string, string>, deps: Partial<ComposeDeps> = {}): Promise<void> {
  const config = loadConfig({
    flags: { app_port: '0', workers: '0' },
    configFile: null,
    env: { REDIS_URL: redis.url, MILLRACE_DATA_DIR: dir, ...env },
    cwd: dir,
    platform: 'linux',
    home: dir,
  });
  const files = {
    root: dir,
    workerEntry: join(dir, 'no-worker.js'),
    dashboardDir: null,
    docsAssetsDir: null,
    resourcesDir: dir,
  };
  server = await composeServer(config, {
    files,
    log: silentLog,
    clock: systemClock,
    onWorkerLine: () => undefined,
    ...deps,
  });
  await server.start();
}

const window = { name: 'window', role: 'admin', token: 'made-for-this-process' } as const;
const bearer = { authorization: `Bearer ${window.token}` };
const socketUrl = () => `${server.url.replace('http', 'ws')}/ws`;

it('shows what the configuration says of the connection, and nothing of its secrets', async () => {
  await start({ MILLRACE_PROFILE: 'Payments', MILLRACE_ENVIRONMENT: 'production', MILLRACE_PREFIX: 'pay' });
  const session = await (await fetch(`${server.url}/api/session`)).json();
  expect(session).toMatchObject({
    profile: {
      name: 'Payments',
      environment: 'production',
      topology: 'standalone',
      tls: false,
      redis: `127.0.0.1:${redis.port}`,
      database: 0,
      owned: false,
      prefix: 'pay',
    },
    actor: { name: 'local', role: 'admin' },
    safety: { level: 'open', locked: false },
  });
});

it('wants a token that this process made, though all is on loopback, on REST and on the stream', async () => {
  await start({}, { tokens: [window] });
  expect((await fetch(`${server.url}/api/session`)).status).toBe(401);
  expect((await fetch(`${server.url}/api/session`, { headers: { authorization: 'Bearer else' } })).status).toBe(401);
  const session = await (await fetch(`${server.url}/api/session`, { headers: bearer })).json();
  expect(session).toMatchObject({ actor: { name: 'window', role: 'admin' } });
  const refused = new StreamClient(socketUrl(), ['millrace']);
  await new Promise((resolve) => refused.ws.once('close', resolve));
  expect(refused.frames).toEqual([]);
  const taken = new StreamClient(socketUrl(), ['millrace', `bearer.${window.token}`]);
  await taken.next('snapshot');
  taken.ws.terminate();
});

it('takes the configured token beside it', async () => {
  await start({ MILLRACE_TOKEN: 'configured' }, { tokens: [window] });
  for (const token of ['configured', window.token]) {
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${server.url}/api/tasks`, { headers })).status).toBe(200);
  }
});

it('tells windows of an unlock, of Redis, and of an operation from its start to its end', async () => {
  await start({ MILLRACE_SAFE_MODE: 'read-only' });
  await expect.poll(async () => (await fetch(`${server.url}/health`)).status).toBe(200); // it has its Redis
  const client = new StreamClient(socketUrl());
  expect((await client.next('session')).safety).toMatchObject({ level: 'read_only', locked: true });
  const snapshot = await client.next('snapshot');
  expect(snapshot.system?.redis.up).toBe(true);
  expect(snapshot.operations).toEqual([]);

  const post = (path: string, body: unknown) =>
    fetch(server.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  expect((await post('/api/tasks', { task_type: 'noop' })).status).toBe(403);
  await post('/api/session/unlock', { reason: 'INC-41' });
  expect((await client.next('session')).safety).toMatchObject({ locked: false, unlocked_by: 'local' });
  expect((await client.next('system')).redis.memory_bytes).toBeGreaterThan(0);

  expect((await post('/api/tasks', { task_type: 'noop' })).status).toBe(201);
  const started = await post('/api/operations', { action: 'cancel', filter: { status: 'pending' }, expected_count: 1 });
  expect(started.status).toBe(202);
  for (;;) {
    const { operation } = await client.next('operation');
    if (operation.state !== 'done') continue;
    expect(operation).toMatchObject({ matched: 1, done: 1, by: 'local' });
    break;
  }
  client.ws.terminate();
});
