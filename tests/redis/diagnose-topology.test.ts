import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { afterEach, expect, it, vi } from 'vitest';
import type { DiagnoseStep } from '#main/bridge/profiles-contract';
import { runDoctor } from '#main/doctor';
import { planDiagnose } from '#main/doctor/diagnose/plan';
import { systemClock } from '#queue/kernel/clock';
import { silentLog } from '#queue/kernel/log';
import type { RedisOptions } from '#queue/redis/options';
import { probe } from '#queue/redis/probe';
import { freePort, type RedisServer, startRedis } from '../support/redis-server';

let servers: { stop(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
});

async function started(options: { args?: readonly string[]; config?: string }): Promise<RedisServer> {
  const server = await startRedis(options);
  servers.push(server);
  return server;
}

const access = { db: 0, username: null, password: null, tls: null, prefix: 'mr' };
const nodesOf = (all: readonly { host: string; port: number }[]) => all.map(({ host, port }) => ({ host, port }));
const sentinels = (
  nodes: readonly { host: string; port: number }[],
  more: Partial<RedisOptions> = {},
): RedisOptions => ({
  kind: 'sentinel',
  nodes: nodesOf(nodes),
  master: 'orders',
  ...access,
  ...more,
});

async function diagnose(redis: RedisOptions): Promise<(key: string) => DiagnoseStep | undefined> {
  const { signal } = new AbortController();
  const options = { redis, allowPlainPassword: false, clock: systemClock, signal, timeoutMs: 1_000 };
  const over = new Map<string, DiagnoseStep>();
  for await (const step of planDiagnose(options).run()) over.set(step.key, step);
  return (key) => over.get(key);
}

const watch = (primary: RedisServer, quorum: number, ...lines: string[]) =>
  started({
    args: ['--sentinel'],
    config: [`sentinel monitor orders ${primary.host} ${primary.port} ${quorum}`, ...lines].join('\n'),
  });

it('asks every sentinel, follows them to the primary, and signs in there', async () => {
  const primary = await started({ args: ['--requirepass', 'pw'] });
  const all = await Promise.all([0, 1, 2].map(() => watch(primary, 2, 'sentinel auth-pass orders pw')));
  const step = await diagnose(sentinels(all, { password: 'pw' }));
  expect(step('tcp')).toMatchObject({ state: 'ok', detail: 'All 3 accept connections.' });
  expect(step('sentinel_sign_in')).toMatchObject({ state: 'ok', address: 'user default' });
  expect(step('sentinels')).toMatchObject({ state: 'ok', address: `3 of 3 agree on ${primary.host}:${primary.port}` });
  expect(step('sign_in')).toMatchObject({ state: 'ok', address: `${primary.host}:${primary.port} as default` });
  expect(['rights', 'round_trip'].map((key) => step(key)?.state)).toEqual(['ok', 'ok']);
});

it('warns when a sentinel is away, with its address and what it means for a failover', async () => {
  const primary = await started({});
  const all = await Promise.all([0, 1].map(() => watch(primary, 2)));
  const away = { host: '127.0.0.1', port: await freePort() };
  const step = await diagnose(sentinels([away, ...all]));
  expect(step('tcp')).toMatchObject({ state: 'warn', detail: expect.stringContaining(`127.0.0.1:${away.port}`) });
  expect(step('sentinels')).toMatchObject({
    state: 'warn',
    address: expect.stringContaining('2 of 3 agree'),
    detail: expect.stringMatching(new RegExp(`${away.port} did not answer: .*quorum of 2, with none to spare`)),
  });
  expect(step('sign_in')?.state).toBe('ok');
});

it('knows the password of the sentinels from the one of Redis, and a wrong name of the set', async () => {
  const primary = await started({});
  const guarded = await watch(primary, 1, 'requirepass sentinel-pw');
  expect((await diagnose(sentinels([guarded])))('sentinel_sign_in')).toMatchObject({
    state: 'fail',
    detail: 'A password is needed.',
  });
  expect((await diagnose(sentinels([guarded], { sentinelPassword: 'sentinel-pw' })))('sign_in')?.state).toBe('ok');
  const step = await diagnose(sentinels([guarded], { sentinelPassword: 'sentinel-pw', master: 'other' }));
  expect(step('sentinels')).toMatchObject({
    state: 'fail',
    detail: expect.stringContaining('knows no set “other”, but orders'),
  });
  expect(step('sign_in')?.state).toBe('skipped');
});

it('sends no password in clear text to the machine that a sentinel names, unless that is allowed', async () => {
  const reply = (text: string) =>
    /get-master-addr/i.test(text)
      ? '*2\r\n$9\r\n192.0.2.1\r\n$4\r\n6379\r\n'
      : /PING/i.test(text)
        ? '+PONG\r\n'
        : '-ERR no\r\n';
  const liar = createServer((socket) => socket.on('data', (data) => socket.write(reply(data.toString()))));
  liar.listen(0, '127.0.0.1');
  await once(liar, 'listening');
  servers.push({ stop: () => liar.close() });
  const address = liar.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const step = await diagnose(sentinels([{ host: '127.0.0.1', port }], { password: 'pw' }));
  expect(step('sentinels')?.address).toBe('1 of 1 agree on 192.0.2.1:6379');
  expect(step('sign_in')).toMatchObject({ state: 'fail', detail: expect.stringContaining('in clear text') });
});

async function cluster(): Promise<RedisServer[]> {
  const nodes = await Promise.all(
    [0, 1, 2].map(async () =>
      started({
        args: ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort()), '--appendfsync', 'everysec'],
      }),
    ),
  );
  const [first] = nodes;
  for (const [index, node] of nodes.entries()) {
    const from = Math.floor((index * 16_384) / 3);
    const to = Math.floor(((index + 1) * 16_384) / 3) - 1;
    await probe(node, async (c) => {
      await c.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
      const bus = Number(await c.configGet('cluster-port'));
      if (first && node !== first)
        await probe(first, (other) => other.call('CLUSTER', 'MEET', node.host, node.port, bus));
    });
  }
  for (const node of nodes) {
    await vi.waitFor(
      async () => expect(String(await probe(node, (c) => c.call('CLUSTER', 'INFO')))).toContain('cluster_state:ok'),
      { timeout: 15_000, interval: 50 },
    );
  }
  return nodes;
}

it('looks at the slots and at each node of a cluster, and tries the rights where the keys may lie', async () => {
  const nodes = await cluster();
  const [first, , last] = nodes;
  if (!first || !last) throw new Error('no cluster');
  const options: RedisOptions = { kind: 'cluster', nodes: nodesOf([first]), ...access };
  const whole = await diagnose(options);
  expect(whole('cluster')).toMatchObject({ state: 'ok', address: '16384 of 16384 slots on 3 primaries, 0 replicas' });
  expect(['sign_in', 'rights', 'safety', 'round_trip'].map((key) => whole(key)?.state)).toEqual([
    'ok',
    'ok',
    'ok',
    'ok',
  ]);
  for (const node of nodes) expect(await probe(node, (c) => c.call('DBSIZE'))).toBe(0);

  const report = await runDoctor({
    redis: options,
    findProgram: () => Promise.reject(new Error('not asked')),
    dataDir: tmpdir(),
    api: null,
    loadHandlers: null,
    clock: systemClock,
    log: silentLog,
    random: Math.random,
  });
  expect(report.checks.find(({ name }) => name === 'rights')).toMatchObject({ state: 'ok' });

  last.kill9();
  const broken = await diagnose(options);
  expect(broken('cluster')).toMatchObject({ state: 'fail', detail: expect.stringContaining(String(last.port)) });

  const asSingle = await diagnose({ kind: 'single', nodes: nodesOf([first]), ...access });
  expect(asSingle('safety')).toMatchObject({ state: 'fail', detail: expect.stringContaining('part of a cluster') });
});

it('says when a cluster is none', async () => {
  const step = await diagnose({ kind: 'cluster', nodes: nodesOf([await started({})]), ...access });
  expect(step('cluster')).toMatchObject({ state: 'fail', cure: expect.stringContaining('Standalone') });
});
