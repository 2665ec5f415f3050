import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#queue/kernel/clock';
import { silentLog } from '#queue/kernel/log';
import { probe } from '#queue/redis/probe';
import { RedisStore } from '#queue/redis/store';
import { redisAt, submitAll } from '../support/engine';
import { ManualClock } from '../support/manual-clock';
import { type RealApi, startApi } from '../support/real-api';
import { freePort, type RedisServer, startRedis } from '../support/redis-server';

let redis: RedisServer;
let api: RealApi;

beforeEach(async () => {
  redis = await startRedis();
});
afterEach(async () => {
  await api?.stop();
  await redis?.stop();
});

const statsOf = (name: string, text: string): number =>
  Number(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, 'm').exec(text)?.[1] ?? 0);

describe('a read-only server', () => {
  it('stores nothing until it is unlocked, and the audit says who did, and why', async () => {
    api = await startApi(redis, {}, 'read_only');
    const lines = `${JSON.stringify({ task_type: 'noop', payload: { text: 'x'.repeat(1000) } })}\n`.repeat(2000);
    const refused = [
      await api.call('POST', '/tasks', { task_type: 'noop' }),
      await api.call('POST', '/api/tasks/bulk', lines, { 'content-type': 'application/x-ndjson' }),
      await api.call('POST', '/api/queues/default/pause'),
      await api.call('POST', '/api/dlq/requeue', { filter: {}, expected_count: 0 }),
    ];
    expect(refused.map(({ status, body }) => `${status} ${body.code}`)).toEqual(Array(4).fill('403 READ_ONLY'));
    expect((await api.call('GET', '/api/tasks/stats/overview')).body.total).toBe(0);
    expect((await api.call('GET', '/api/audit')).body.audit).toEqual([]);

    expect((await api.call('POST', '/api/session/unlock', { reason: 'INC-41', minutes: 1 })).status).toBe(200);
    expect((await api.call('POST', '/tasks', { task_type: 'noop' })).status).toBe(201);
    expect((await api.call('POST', '/api/session/lock')).status).toBe(200);
    expect((await api.call('POST', '/tasks', { task_type: 'noop' })).status).toBe(403);
    expect((await api.call('GET', '/api/audit')).body.audit).toMatchObject([
      { by: 'local', action: 'session.lock' },
      { by: 'local', action: 'session.unlock', detail: '1 min: INC-41' },
    ]);
  });

  it('goes on to answer plans of what it would do', async () => {
    api = await startApi(redis, {}, 'read_only');
    await submitAll(api.connected, [{}, {}]);
    const { status, body } = await api.call('POST', '/api/operations', {
      action: 'cancel',
      filter: { status: 'pending' },
      dry_run: true,
    });
    expect([status, body.matched]).toEqual([200, 2]);
  });
});

describe('how Redis does', () => {
  it('is measured: memory, connections and clock are those of Redis', async () => {
    api = await startApi(redis);
    await api.connected.store.command('limit', (connection) => connection.call('CONFIG', 'SET', 'maxmemory', '64mb'));
    const { body } = await api.call('GET', '/api/system');
    expect(body.redis.up).toBe(true);
    expect(body.redis.latency_ms).toBeGreaterThan(0);
    expect(body.redis.memory_bytes).toBeGreaterThan(100_000);
    expect(body.redis.max_memory_bytes).toBe(64 * 1024 * 1024);
    expect(body.redis.clients).toBeGreaterThanOrEqual(1);
    expect(Math.abs(body.redis.clock_offset_ms)).toBeLessThan(1000); // the same machine's clock
    expect((await api.call('GET', '/api/session')).body.redis_time_offset_ms).toBe(body.redis.clock_offset_ms);
  });

  it('tells the clock of this machine apart from that of Redis', async () => {
    api = await startApi(redis);
    const clock = new ManualClock(Date.now() - 3_600_000);
    const store = new RedisStore({ options: redisAt(redis), clock, log: silentLog, name: 'test', patienceMs: 0 });
    expect(await store.whenReady(5000)).toBe(true);
    const { clockOffsetMs } = await store.vitals();
    store.close();
    expect(Math.abs((clockOffsetMs ?? 0) - 3_600_000)).toBeLessThan(5000);
  });

  it('costs the same however many ask', async () => {
    api = await startApi(redis);
    await Promise.all(Array.from({ length: 200 }, () => api.call('GET', '/api/system')));
    const text = await api.connected.store.command('info', (connection) => connection.info('commandstats'));
    expect(statsOf('time', text)).toBeLessThanOrEqual(3); // as many as there are turns of two seconds in this test
    expect(statsOf('info', text)).toBeLessThanOrEqual(6); // and those of the connection itself
  });

  it('says only what its user may ask', async () => {
    api = await startApi(redis);
    await api.connected.store.command('acl', (connection) => connection.call('ACL', 'SETUSER', 'default', '-info'));
    const { body } = await api.call('GET', '/api/system');
    expect(body.redis).toMatchObject({ up: true, memory_bytes: null, max_memory_bytes: null, clients: null });
    expect(body.redis.latency_ms).toBeGreaterThan(0);
  });

  it('is told as down when Redis is killed', async () => {
    api = await startApi(redis);
    expect((await api.call('GET', '/api/system')).body.redis.up).toBe(true);
    redis.kill9();
    await expect
      .poll(async () => (await api.call('GET', '/api/system')).body.redis.up, { timeout: 10_000 })
      .toBe(false);
    expect((await api.call('GET', '/api/session')).status).toBe(200);
  });
});

it('operations that have ended cost nothing to look at', async () => {
  api = await startApi(redis);
  for (let n = 0; n < 5; n++) {
    await submitAll(api.connected, [{}]);
    const { body } = await api.call('POST', '/api/operations', { action: 'cancel', filter: { status: 'pending' } });
    await expect
      .poll(async () => (await api.call('GET', `/api/operations/${body.id}`)).body.state, { timeout: 10_000 })
      .toBe('done');
  }
  expect(await api.connected.operations.active()).toEqual([]);
  expect(await api.connected.operations.list()).toHaveLength(5);
  await submitAll(
    api.connected,
    Array.from({ length: 50 }, () => ({})),
  );
  const { body } = await api.call('POST', '/api/operations', { action: 'cancel', filter: {}, rate: 1 });
  await api.call('POST', `/api/operations/${body.id}/pause`);
  expect((await api.connected.operations.active()).map(({ id, state }) => [id, state])).toEqual([[body.id, 'paused']]);
  await api.call('POST', `/api/operations/${body.id}/abort`);
  expect(await api.connected.operations.active()).toEqual([]);
});

it('measures a cluster by its masters', async () => {
  await redis.stop();
  const bus = String(await freePort()); // else port + 10000, which may be none
  const cluster = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--cluster-port', bus];
  redis = await startRedis({ args: cluster });
  const options = { ...redisAt(redis), kind: 'cluster' as const };
  await probe(redis, (connection) => connection.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383'));
  await expect
    .poll(() => probe(redis, (connection) => connection.call('CLUSTER', 'INFO')), { timeout: 10_000 })
    .toContain('cluster_state:ok');
  const store = new RedisStore({ options, clock: systemClock, log: silentLog, name: 'test', patienceMs: 0 });
  expect(await store.whenReady(5000)).toBe(true);
  const vitals = await store.vitals();
  store.close();
  expect(vitals.latencyMs).toBeGreaterThan(0);
  expect(vitals.memoryBytes).toBeGreaterThan(100_000);
  expect(Math.abs(vitals.clockOffsetMs ?? Number.NaN)).toBeLessThan(1000);
});
