import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { DiagnoseStep } from '#main/bridge/profiles-contract';
import { type DiagnoseOptions, planDiagnose } from '#main/doctor/diagnose/plan';
import { systemClock } from '#queue/kernel/clock';
import type { RedisOptions } from '#queue/redis/options';
import { probe } from '#queue/redis/probe';
import { type Certificates, makeCertificates } from '../support/certificates';
import { freePort, type RedisServer, startRedis } from '../support/redis-server';

let dir: string;
let certificates: Certificates;
let servers: { stop(): unknown }[] = [];

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-diagnose-'));
  certificates = makeCertificates(dir);
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

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

async function diagnose(redis: RedisOptions, more: Partial<DiagnoseOptions> = {}): Promise<DiagnoseStep[]> {
  const { signal } = new AbortController();
  const { plan, run } = planDiagnose({ redis, allowPlainPassword: false, clock: systemClock, signal, ...more });
  const over = new Map<string, DiagnoseStep>();
  for await (const step of run()) {
    if (step.state !== 'running') over.set(step.key, step);
  }
  expect([...over.keys()]).toEqual(plan.map(({ key }) => key)); // nothing is left out
  return [...over.values()];
}

const states = (steps: DiagnoseStep[]) => Object.fromEntries(steps.map(({ key, state }) => [key, state]));
const step = (steps: DiagnoseStep[], key: string) => steps.find((candidate) => candidate.key === key);

it('passes a plain server in every step, tells each twice, and leaves no key', async () => {
  const redis = await redisWith('--appendfsync', 'everysec');
  const { signal } = new AbortController();
  const options = { redis: single(redis), allowPlainPassword: false, clock: systemClock, signal };
  const told: string[] = [];
  for await (const { key, state } of planDiagnose(options).run()) told.push(`${key} ${state}`);
  expect(told).toEqual([
    'name running',
    'name skipped', // 127.0.0.1 is no name
    'tcp running',
    'tcp ok',
    'tls running',
    'tls skipped',
    'sign_in running',
    'sign_in ok',
    'rights running',
    'rights ok',
    'safety running',
    'safety ok',
    'round_trip running',
    'round_trip ok',
  ]);
  const steps = await diagnose(single({ ...redis, host: 'localhost' }));
  expect(step(steps, 'name')).toMatchObject({
    state: 'ok',
    address: expect.stringMatching(/^localhost → .*127\.0\.0\.1/),
  });
  expect(step(steps, 'tcp')?.address).toBe(`127.0.0.1:${redis.port}`);
  expect(step(steps, 'round_trip')?.detail).toMatch(/p50 .* p99 .*\(50 of them\)/);
  expect(await probe(redis, (connection) => connection.call('DBSIZE'))).toBe(0);
});

it('tells a missing, a wrong and a needless password apart, and shows none of them', async () => {
  const redis = await redisWith('--requirepass', 'right-secret');
  const missing = await diagnose(single(redis));
  expect(step(missing, 'sign_in')).toMatchObject({ state: 'fail', detail: 'A password is needed.' });
  expect(states(missing)).toMatchObject({ rights: 'skipped', safety: 'skipped', round_trip: 'skipped' });
  expect(step(missing, 'rights')?.detail).toContain('“Sign in” failed');
  const wrong = await diagnose(single(redis, { password: 'wrong-secret' }));
  expect(step(wrong, 'sign_in')).toMatchObject({ state: 'fail', cure: expect.stringContaining('again') });
  const right = await diagnose(single(redis, { password: 'right-secret' }));
  expect(step(right, 'sign_in')).toMatchObject({ state: 'ok', address: `127.0.0.1:${redis.port} as default` });
  expect(JSON.stringify([wrong, right])).not.toContain('-secret');
  const open = await redisWith();
  expect(step(await diagnose(single(open, { password: 'x' })), 'sign_in')).toMatchObject({
    state: 'fail',
    detail: expect.stringContaining('has none'),
  });
});

it('masks a password wherever it turns up', async () => {
  const redis = await redisWith();
  const steps = await diagnose(single({ ...redis, host: 'localhost' }, { password: 'localhost' }));
  expect(JSON.stringify(steps)).not.toContain('localhost');
  expect(step(steps, 'name')?.address).toContain('***');
});

it('names what an ACL user lacks, with the rule that mends it', async () => {
  const redis = await redisWith();
  await probe(redis, (c) =>
    c.call('ACL', 'SETUSER', 'few', 'on', '>pw', '~mr:*', '+@connection', '+info', '+eval', '+get'),
  );
  const steps = await diagnose(single(redis, { username: 'few', password: 'pw' }));
  expect(states(steps)).toMatchObject({ sign_in: 'ok', rights: 'fail', round_trip: 'ok' });
  expect(step(steps, 'sign_in')?.address).toContain('as few');
  expect(step(steps, 'rights')?.cure).toContain('ACL SETUSER few ~mr:*');
});

it('says that a server deletes or forgets tasks', async () => {
  const redis = await redisWith('--appendonly', 'no', '--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru');
  const safety = step(await diagnose(single(redis)), 'safety');
  expect(safety).toMatchObject({ state: 'fail', detail: expect.stringContaining('allkeys-lru') });
  expect(safety?.cure).toContain('noeviction');
  expect(safety?.cure).toContain('appendonly yes');
});

it('stops at a name that is not known', async () => {
  const steps = await diagnose(single({ host: 'no-such-host.invalid', port: 6379 }));
  expect(step(steps, 'name')).toMatchObject({ state: 'fail', detail: 'The name no-such-host.invalid is not known.' });
  expect(new Set(steps.slice(1).map(({ state }) => state))).toEqual(new Set(['skipped']));
});

it('stops at a port where nobody listens, with the address', async () => {
  const port = await freePort();
  const steps = await diagnose(single({ host: '127.0.0.1', port }));
  expect(step(steps, 'tcp')).toMatchObject({
    state: 'fail',
    detail: `Nothing listens on 127.0.0.1:${port}: the connection was refused.`,
  });
  expect(states(steps)).toMatchObject({ tls: 'skipped', sign_in: 'skipped' });
});

/** Accepts and says nothing. */
async function mute(): Promise<{ host: string; port: number }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push({
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  const address = server.address();
  return { host: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0 };
}

it('gives up on a port that never answers, with and without TLS', async () => {
  const silent = single(await mute());
  const plain = await diagnose(silent, { timeoutMs: 200 });
  expect(step(plain, 'sign_in')).toMatchObject({
    state: 'fail',
    detail: 'It accepts connections, but sends no answer within 0.2 s.',
  });
  const tls = await diagnose({ ...silent, tls: {} }, { timeoutMs: 200 });
  expect(step(tls, 'tls')).toMatchObject({ state: 'fail', detail: 'No TLS handshake within 0.2 s.' });
});

it('can be broken off in the midst of a step', async () => {
  const stopper = new AbortController();
  const redis = single(await mute());
  const { run } = planDiagnose({ redis, allowPlainPassword: false, clock: systemClock, signal: stopper.signal });
  const told: string[] = [];
  const started = performance.now();
  for await (const { key, state } of run()) {
    told.push(`${key} ${state}`);
    if (key === 'sign_in') stopper.abort();
  }
  expect(told.at(-1)).toBe('sign_in running');
  expect(performance.now() - started).toBeLessThan(2_000); // its time-out is 3 s
});

it('goes through a socket file', async () => {
  const path = join(dir, 'redis.sock');
  const redis = await redisWith('--unixsocket', path);
  const socket: RedisOptions = { ...single(redis), nodes: [], path };
  const steps = await diagnose(socket);
  expect(states(steps)).toMatchObject({ name: 'skipped', tcp: 'ok', tls: 'skipped', sign_in: 'ok', round_trip: 'ok' });
  const missing = await diagnose({ ...socket, path: join(dir, 'none.sock') });
  expect(step(missing, 'tcp')).toMatchObject({
    state: 'fail',
    detail: `There is no socket file ${join(dir, 'none.sock')}.`,
  });
});

async function tlsRedis(...args: string[]): Promise<{ host: string; port: number }> {
  const port = await freePort();
  const { certFile, keyFile } = certificates.server;
  const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', certificates.ca.file];
  const redis = await redisWith('--tls-port', String(port), ...files, '--tls-auth-clients', 'no', ...args);
  return { host: redis.host, port };
}

it('looks at the certificate: who signed it, whether we trust them, whose name it bears', async () => {
  const redis = await tlsRedis();
  const ca = certificates.ca.text;
  const good = await diagnose(single({ ...redis, host: 'localhost' }, { tls: { ca } }));
  expect(step(good, 'tls')).toMatchObject({
    state: 'ok',
    address: expect.stringMatching(/^CN=redis\.test, valid to \d{4}-/),
  });
  expect(step(good, 'tls')?.detail).toContain('It chains to Test Authority. SNI localhost was sent.');
  expect(states(good)).toMatchObject({ sign_in: 'ok', rights: 'ok' });

  const stranger = await diagnose(single(redis, { tls: {} }));
  expect(step(stranger, 'tls')).toMatchObject({ state: 'fail', cure: expect.stringContaining('CA file') });
  expect(states(stranger)).toMatchObject({ sign_in: 'skipped' });

  const misnamed = await diagnose(single(redis, { tls: { ca, servername: 'other.test' } }));
  expect(step(misnamed, 'tls')?.detail).toContain('not for other.test: it names IP Address:127.0.0.1, DNS:localhost');

  const unchecked = await diagnose(single(redis, { tls: { rejectUnauthorized: false } }));
  expect(states(unchecked)).toMatchObject({ tls: 'warn', sign_in: 'ok' });
});

it('says when TLS meets a plain port, and when the server wants a certificate of ours', async () => {
  const plain = await diagnose(single(await redisWith(), { tls: {} }));
  expect(step(plain, 'tls')).toMatchObject({ state: 'fail', cure: expect.stringContaining('turn TLS off') });
  const strict = await tlsRedis('--tls-auth-clients', 'yes');
  const { ca, client } = certificates;
  const without = await diagnose(single(strict, { tls: { ca: ca.text } }));
  expect(step(without, 'tls')).toMatchObject({ state: 'fail', detail: 'The server asks for a client certificate.' });
  expect(states(await diagnose(single(strict, { tls: { ca: ca.text, ...client } })))).toMatchObject({
    tls: 'ok',
    sign_in: 'ok',
  });
});

it('warns of a certificate that ends soon', async () => {
  const soon = mkdtempSync(join(dir, 'soon-'));
  certificates = makeCertificates(soon, 10);
  const steps = await diagnose(single(await tlsRedis(), { tls: { ca: certificates.ca.text } }));
  expect(step(steps, 'tls')).toMatchObject({ state: 'warn', detail: expect.stringMatching(/ends in (9|10) days/) });
});
