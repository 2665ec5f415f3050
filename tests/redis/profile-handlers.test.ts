import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { DiagnoseEvent, ProfileDraft, ProfileFields } from '#main/bridge/profiles-contract';
import { BridgeRefusal } from '#main/desktop/bridge-calls';
import { type ProfileDeps, profileHandlers, type WantedConnection } from '#main/desktop/profiles/handlers';
import { ProfileStore } from '#main/desktop/profiles/profile-store';
import type { SecretBox } from '#main/desktop/profiles/secret-box';
import { systemClock } from '#queue/kernel/clock';
import { fieldsOf, noBox, workingBox } from '../support/profiles';
import { freePort, type RedisServer, startRedis } from '../support/redis-server';

const PASSWORD = 'pa55-of-redis';
const WINDOW = 'window';
let redis: RedisServer;
let dir: string;
let events: DiagnoseEvent[];
let opened: WantedConnection[];

beforeAll(async () => {
  redis = await startRedis({ args: ['--requirepass', PASSWORD] });
});
afterAll(() => redis.stop());
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-handlers-'));
  events = [];
  opened = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function world(more: Partial<ProfileDeps<string>> = {}, secrets: SecretBox = workingBox) {
  const store = new ProfileStore({ path: join(dir, 'profiles.json'), secrets, clock: systemClock });
  return profileHandlers<string>({
    store,
    secrets,
    clock: systemClock,
    dataDir: dir,
    demo: false,
    openLocal: () => Promise.reject(new Error('redis-server was not found')),
    connect: async (_caller, wanted) => void opened.push(wanted),
    emit: (_caller, event) => events.push(event),
    ...more,
  });
}

const draft = (fields: Partial<ProfileFields> = {}, more: Partial<ProfileDraft> = {}): ProfileDraft => ({
  id: null,
  fields: fieldsOf({ port: redis.port, usesPassword: true, ...fields }),
  password: PASSWORD,
  sentinelPassword: undefined,
  ...more,
});
const over = () => vi.waitFor(() => expect(events.at(-1)?.kind).toBe('end'), { timeout: 10_000 });

it('opens the console with the kept password, and notes that it was used', async () => {
  const desktop = world();
  const { id } = await desktop.save(WINDOW, draft({ environment: 'staging' }));
  expect(await desktop.connect(WINDOW, { id })).toEqual({ state: 'connected' });
  expect(opened).toMatchObject([
    {
      environment: 'staging',
      demo: false,
      safety: 'guarded',
      redis: { password: PASSWORD, nodes: [{ port: redis.port }] },
    },
  ]);
  const { profiles } = await desktop.list(WINDOW);
  expect(profiles[0]).toMatchObject({ lastCheck: { reached: true }, lastUsedAt: expect.any(Number) });
  expect(JSON.stringify(profiles)).not.toContain(PASSWORD);
});

it('asks for a password that it may not keep, uses it once, and keeps it not', async () => {
  const desktop = world({}, noBox);
  expect((await desktop.list(WINDOW)).secretsAsked).toContain('asked for each time');
  const { id } = await desktop.save(WINDOW, draft());
  expect(await desktop.connect(WINDOW, { id })).toMatchObject({ state: 'password_needed', of: 'redis' });
  expect(await desktop.connect(WINDOW, { id, password: PASSWORD })).toEqual({ state: 'connected' });
  expect(await desktop.connect(WINDOW, { id })).toMatchObject({ state: 'password_needed' });
  expect(opened).toHaveLength(1);
});

it('opens nothing where Redis lets nobody in, and says which step failed and what to do', async () => {
  const desktop = world();
  const { id } = await desktop.save(WINDOW, draft({}, { password: 'wrong' }));
  expect(await desktop.connect(WINDOW, { id })).toMatchObject({
    state: 'failed',
    message: expect.stringContaining('Sign in failed.'),
    cure: expect.any(String),
  });
  const away = await desktop.save(WINDOW, draft({ port: await freePort() }));
  expect(await desktop.connect(WINDOW, { id: away.id })).toMatchObject({
    message: expect.stringContaining('TCP failed.'),
  });
  expect(opened).toEqual([]);
  expect((await desktop.list(WINDOW)).profiles.map(({ lastCheck }) => lastCheck?.reached)).toEqual([false, false]);
});

it('tells why the console did not open', async () => {
  const desktop = world({ connect: () => Promise.reject(new Error('port 7000 is taken')) });
  const { id } = await desktop.save(WINDOW, draft());
  expect(await desktop.connect(WINDOW, { id })).toEqual({ state: 'failed', message: 'port 7000 is taken', cure: null });
});

it('tests a draft that was never saved, and one that was with its kept password', async () => {
  const desktop = world();
  expect(await desktop.test(WINDOW, draft())).toMatchObject({ reached: true, cure: null });
  expect(await desktop.test(WINDOW, draft({}, { password: 'wrong' }))).toMatchObject({ reached: false });
  const { id } = await desktop.save(WINDOW, draft());
  expect(await desktop.test(WINDOW, draft({}, { id, password: undefined }))).toMatchObject({ reached: true });
  expect((await desktop.list(WINDOW)).profiles[0]?.lastCheck).toMatchObject({ reached: true });
});

it('sends a diagnose as a plan, its steps and an end, with the password in none of them', async () => {
  const desktop = world();
  await desktop.diagnose(WINDOW, draft(), 'run-1');
  await over();
  expect(events[0]).toMatchObject({ kind: 'plan', run: 'run-1' });
  const last = events.flatMap((event) =>
    event.kind === 'step' && event.step.key === 'round_trip' ? [event.step.state] : [],
  );
  expect(last).toEqual(['running', 'ok']);
  expect(JSON.stringify(events)).not.toContain(PASSWORD);
});

it('stops a diagnose when told, and the one before when another begins', async () => {
  const sockets = new Set<Socket>();
  const mute = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const address = mute.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  try {
    const desktop = world();
    await desktop.diagnose(WINDOW, draft({ port }), 'first');
    await desktop.diagnose(WINDOW, draft({ port }), 'second');
    await vi.waitFor(() => expect(events).toContainEqual({ kind: 'end', run: 'first' }), { timeout: 1_000 });
    await desktop.stopDiagnose(WINDOW, 'first'); // is over: the second goes on
    expect(events).not.toContainEqual({ kind: 'end', run: 'second' });
    await desktop.stopDiagnose(WINDOW, 'second');
    await vi.waitFor(() => expect(events).toContainEqual({ kind: 'end', run: 'second' }), { timeout: 1_000 });
  } finally {
    for (const socket of sockets) socket.destroy();
    mute.close();
  }
});

it('refuses with a sentence: an address, TLS files, a local Redis that cannot be started, demo data that is not there', async () => {
  const desktop = world();
  const refusals = [
    () => desktop.parseUrl(WINDOW, 'http://example'),
    () => desktop.diagnose(WINDOW, draft({ tls: { ...fieldsOf().tls, on: true, caFile: join(dir, 'none') } }), 'run'),
    () => desktop.test(WINDOW, draft({ kind: 'local' })),
    () => desktop.startLocal(WINDOW, { demo: true }),
    () => desktop.connect(WINDOW, { id: 'nobody' }),
  ];
  for (const refusal of refusals) await expect(refusal()).rejects.toThrow(BridgeRefusal);
});

it('starts the local queue with one call, as one profile however often', async () => {
  const desktop = world({ demo: true });
  expect(await desktop.startLocal(WINDOW, { demo: false })).toEqual({ state: 'connected' });
  expect(await desktop.startLocal(WINDOW, { demo: true })).toEqual({ state: 'connected' });
  expect(opened.map(({ demo }) => demo)).toEqual([false, true]);
  expect(opened[0]).toMatchObject({ redis: null, environment: 'local', safety: 'open' });
  expect((await desktop.list(WINDOW)).profiles).toHaveLength(1);
});
