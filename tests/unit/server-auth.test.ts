import { describe, expect, it } from 'vitest';
import { Authenticator, hashToken, tokenOf } from '#main/server/auth';
import { hostPolicy } from '#main/server/guard';
import type { ConfiguredToken, ServerSettings } from '#main/server/settings';
import { DEFAULT_RATE_LIMIT } from '#main/server/settings';
import type { Role, Route } from '#queue/contract/http';
import { routes } from '#queue/contract/http-routes';
import { systemClock } from '#queue/kernel/clock';
import { createWorld } from '../support/api-world';
import { ManualClock } from '../support/manual-clock';

const HOST = { host: 'localhost:8000' };
const TOKENS: ConfiguredToken[] = (['viewer', 'operator', 'admin'] as const).map((role) => ({
  name: `the ${role}`,
  role,
  token: `secret-${role}`,
}));
const bearer = (token: string) => ({ ...HOST, authorization: `Bearer ${token}` });

/** As through a socket: with guard, limits and tokens. */
function secured(options: { tokens?: ConfiguredToken[]; required?: boolean; settings?: Partial<ServerSettings> } = {}) {
  const { tokens = TOKENS, required = true } = options;
  const policy = hostPolicy({ port: 8000, names: [], allowedHosts: [], allowedOrigins: [] });
  const stored = createWorld();
  const authenticator = new Authenticator({ keys: stored.deps.keys, clock: systemClock, tokens, required });
  const world = createWorld({
    settings: options.settings ?? {},
    access: { kind: 'network', policy: () => policy, authenticator },
  });
  return { ...world, keyring: stored.keys };
}

const withHost = (path: string) =>
  path.replace('{id}', '01KA9Z6Q0MB0Q3T5V7X9YABCDE').replace('{queue}', 'default').replace('{name}', 'a.txt');
const table: Record<string, Route> = routes;

describe('roles', () => {
  const rank: Role[] = ['viewer', 'operator', 'admin'];

  it.each(Object.entries(table))('%s lets in who may call it, and nobody else', async (_name, route) => {
    const { app } = secured();
    for (const role of rank) {
      const { status } = await app.request(withHost(route.path), {
        method: route.method,
        headers: bearer(`secret-${role}`),
      });
      const may = route.role === 'anyone' || rank.indexOf(role) >= rank.indexOf(route.role);
      expect(status === 403, `${role} got ${status}`).toBe(!may);
    }
    const { status } = await app.request(withHost(route.path), { method: route.method, headers: HOST });
    expect(status === 401).toBe(route.role !== 'anyone');
  });

  it('take to delete by an operation what they take to purge', async () => {
    const { call } = secured();
    const body = { action: 'delete', confirm: true, filter: { status: 'completed' } };
    expect((await call('POST', '/api/operations', body, bearer('secret-operator'))).status).toBe(403);
    expect((await call('POST', '/api/operations', body, bearer('secret-admin'))).status).toBe(202);
  });
});

describe('tokens', () => {
  it('are asked for with WWW-Authenticate', async () => {
    const { call } = secured();
    const { status, headers } = await call('GET', '/api/tasks', undefined, HOST);
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="millrace"']);
  });

  it.each([
    'wrong',
    'secret-admin2',
    'secret-admi',
    '',
    'a b',
    'eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4ifQ.',
    'x'.repeat(5000),
  ])('"%.20s" is not one', async (token) => {
    const { call } = secured();
    expect((await call('GET', '/api/tasks', undefined, bearer(token))).status).toBe(401);
  });

  it('are not taken from other schemes or from the address', async () => {
    const { call } = secured();
    expect((await call('GET', '/api/tasks', undefined, { ...HOST, authorization: 'Basic secret-admin' })).status).toBe(
      401,
    );
    expect((await call('GET', '/api/tasks?token=secret-admin', undefined, HOST)).status).toBe(401);
  });

  it('are not needed where none is required and none is configured', async () => {
    const { call } = secured({ tokens: [], required: false });
    expect((await call('POST', '/api/keys', { name: 'k', role: 'viewer' }, HOST)).status).toBe(201);
    expect((await call('GET', '/api/tasks', undefined, bearer('wrong'))).status).toBe(401);
  });

  it('are needed once one is configured, also where none is required', async () => {
    const { call } = secured({ required: false });
    expect((await call('GET', '/api/tasks', undefined, HOST)).status).toBe(401);
  });

  it('for WebSocket are read from the protocols', () => {
    expect(tokenOf({ 'sec-websocket-protocol': 'millrace, bearer.abc.def' })).toBe('abc.def');
    expect(tokenOf({ 'sec-websocket-protocol': 'millrace' })).toBeNull();
    expect(tokenOf({})).toBeNull();
  });
});

describe('keys', () => {
  it('are told once, kept as a hash, and work with their role until they are revoked', async () => {
    const { call, deps, keys } = createWorld();
    const made = await call('POST', '/api/keys', { name: 'ci', role: 'operator' });
    expect(made.status).toBe(201);
    expect(made.body.key).toMatch(/^mrk_[\w-]{43}$/);
    expect(JSON.stringify(keys)).not.toContain(made.body.key);
    const listed = await call('GET', '/api/keys');
    expect(listed.body.keys).toEqual([
      { id: made.body.id, name: 'ci', role: 'operator', created_at: expect.any(String) },
    ]);

    const clock = new ManualClock();
    const authenticator = new Authenticator({ keys: deps.keys, clock, tokens: [], required: true });
    expect(await authenticator.authenticate(bearer(made.body.key))).toEqual({
      name: 'ci',
      role: 'operator',
      via: 'key',
    });
    expect((await call('DELETE', `/api/keys/${made.body.id}`)).status).toBe(204);
    await clock.advance(2000);
    await expect(authenticator.authenticate(bearer(made.body.key))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('own what they submit, whoever the body names', async () => {
    const { call, keyring } = secured();
    keyring.push({ id: 'key-1', name: 'shop', role: 'operator', createdAt: 0, sha256: hashToken('mrk_abc') });
    const { body } = await call('POST', '/api/tasks', { task_type: 'email', owner: 'mallory' }, bearer('mrk_abc'));
    expect(body.owner).toBe('shop');
    const bulk = await call('POST', '/api/tasks/bulk', { tasks: [{ task_type: 'email' }] }, bearer('mrk_abc'));
    expect((await call('GET', `/api/tasks/${bulk.body.ids[0]}`, undefined, bearer('mrk_abc'))).body.owner).toBe('shop');
  });

  it('have names of their own', async () => {
    const { call } = createWorld();
    await call('POST', '/api/keys', { name: 'ci', role: 'viewer' });
    expect((await call('POST', '/api/keys', { name: 'ci', role: 'admin' })).status).toBe(409);
    expect((await call('POST', '/api/keys', { name: '', role: 'admin' })).status).toBe(422);
    expect((await call('POST', '/api/keys', { name: 'x', role: 'root' })).status).toBe(422);
    expect((await call('DELETE', '/api/keys/nope')).status).toBe(404);
  });

  it('cannot be looked up while Redis is away, which is no proof against them', async () => {
    const { deps } = createWorld();
    const keys = { ...deps.keys, list: () => Promise.reject(new Error('redis is down')) };
    const authenticator = new Authenticator({ keys, clock: systemClock, tokens: TOKENS, required: true });
    await expect(authenticator.authenticate(bearer('mrk_abc'))).rejects.toThrow('redis is down');
    expect((await authenticator.authenticate(bearer('secret-viewer'))).role).toBe('viewer');
  });
});

describe('limits', () => {
  const limited = (rateLimit: Partial<ServerSettings['rateLimit']>) =>
    secured({ settings: { rateLimit: { ...DEFAULT_RATE_LIMIT, ...rateLimit } } });

  it('answer 429 with Retry-After past the bound of a token, and leave others alone', async () => {
    const { call } = limited({ perKey: 3 });
    for (let i = 0; i < 3; i++)
      expect((await call('GET', '/api/queues', undefined, bearer('secret-viewer'))).status).toBe(200);
    const { status, headers, body } = await call('GET', '/api/queues', undefined, bearer('secret-viewer'));
    expect([status, body.code]).toEqual([429, 'TOO_MANY_REQUESTS']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await call('GET', '/api/queues', undefined, bearer('secret-admin'))).status).toBe(200);
  });

  it('answer 429 past the bound of an address, but never to probes', async () => {
    const { call } = limited({ perAddress: 1 });
    expect((await call('GET', '/docs', undefined, HOST)).status).toBe(200);
    expect((await call('GET', '/docs', undefined, HOST)).status).toBe(429);
    expect((await call('GET', '/healthz', undefined, HOST)).status).toBe(200);
  });

  it('end guessing: after the bound even a good token waits', async () => {
    const { call } = limited({ failedTokens: 2 });
    for (let i = 0; i < 2; i++) expect((await call('GET', '/api/queues', undefined, bearer('guess'))).status).toBe(401);
    expect((await call('GET', '/api/queues', undefined, bearer('secret-admin'))).status).toBe(429);
  });
});

it('refuses foreign hosts and pages before anything else', async () => {
  const { call } = secured();
  expect((await call('GET', '/health', undefined, { host: 'evil.example' })).status).toBe(421);
  expect(
    (
      await call(
        'POST',
        '/api/tasks',
        { task_type: 'email' },
        { ...bearer('secret-admin'), origin: 'http://evil.example' },
      )
    ).status,
  ).toBe(403);
});
