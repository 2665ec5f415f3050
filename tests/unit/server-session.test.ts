import { describe, expect, it } from 'vitest';
import type { Role } from '#queue/contract/http';
import { createWorld, type WorldOptions } from '../support/api-world';
import { ManualClock } from '../support/manual-clock';

const as = (role: Role): WorldOptions => ({ access: { kind: 'trusted', caller: { name: 'ada', role, via: 'key' } } });

describe('the session', () => {
  it('tells which Redis this is, who calls, and how careful to be', async () => {
    const clock = new ManualClock();
    const profile = {
      name: 'Payments',
      environment: 'production',
      topology: 'sentinel',
      tls: true,
      redis: 's1:26379,s2:26379',
      database: 2,
      owned: false,
      prefix: 'pay',
    } as const;
    const { call } = createWorld({ clock, safety: 'confirm', settings: { profile }, ...as('operator') });
    const { status, body } = await call('GET', '/api/session');
    expect(status).toBe(200);
    expect(body).toEqual({
      profile,
      actor: { name: 'ada', role: 'operator' },
      safety: { level: 'confirm', unlocked_until: null, unlocked_by: null, locked: false },
      capabilities: expect.arrayContaining(['submitTask', 'retryTask', 'pauseQueue', 'startOperation']),
      version: '1.2.3',
      now: new Date(clock.now()).toISOString(),
      redis_time_offset_ms: -12,
      store_refusal: null,
    });
  });

  it.each<[Role, string[], string[]]>([
    ['viewer', [], ['submitTask', 'createKey', 'unlockSession']],
    ['operator', ['submitTask', 'requeueDlq', 'pauseQueue'], ['purgeDlq', 'createKey', 'unlockSession', 'listTasks']],
    ['admin', ['submitTask', 'purgeDlq', 'createKey'], ['createSchedule', 'lockSession']],
  ])('tells a %s what it may do', async (role, can, cannot) => {
    const { capabilities } = (await createWorld(as(role)).call('GET', '/api/session')).body;
    expect(capabilities).toEqual(expect.arrayContaining(can));
    expect(cannot.filter((name) => capabilities.includes(name))).toEqual([]);
    if (role === 'viewer') expect(capabilities).toEqual([]);
  });

  it('counts the lock into what one may do', async () => {
    const { call } = createWorld({ safety: 'read_only', ...as('admin') });
    const capabilities = async () => (await call('GET', '/api/session')).body.capabilities;
    expect(await capabilities()).toEqual(['unlockSession']);
    await call('POST', '/api/session/unlock', { reason: 'because' });
    expect(await capabilities()).toEqual(expect.arrayContaining(['submitTask', 'purgeQueue', 'lockSession']));
  });

  it('is told while Redis is away, without a guess at its clock', async () => {
    const { call, redis } = createWorld();
    redis.up = false;
    expect((await call('GET', '/api/session')).body.redis_time_offset_ms).toBeNull();
  });
});

describe('how Redis does', () => {
  it('is measured, rounded to what is meant', async () => {
    const { body } = await createWorld().call('GET', '/api/system');
    expect(body.redis).toEqual({
      up: true,
      latency_ms: 0.43,
      memory_bytes: 1_000_000,
      max_memory_bytes: null,
      clients: 3,
      eviction_policy: 'noeviction',
      clock_offset_ms: -12,
    });
  });

  it('is measured once in two seconds however many ask, and not at all while nobody does', async () => {
    const clock = new ManualClock();
    const { call, redis } = createWorld({ clock });
    expect(redis.measured).toBe(0);
    await Promise.all(Array.from({ length: 50 }, () => call('GET', '/api/system')));
    await call('GET', '/api/session');
    expect(redis.measured).toBe(1);
    await clock.advance(2000);
    expect(redis.measured).toBe(1);
    await call('GET', '/api/system');
    expect(redis.measured).toBe(2);
  });

  it('is told as down, without numbers, where Redis refuses or is silent', async () => {
    const down = {
      up: false,
      latency_ms: null,
      memory_bytes: null,
      max_memory_bytes: null,
      clients: null,
      eviction_policy: null,
      clock_offset_ms: null,
    };
    const { call, redis } = createWorld();
    redis.up = false;
    expect((await call('GET', '/api/system')).body.redis).toEqual(down);

    const clock = new ManualClock();
    const silent = createWorld({ clock, vitals: () => new Promise(() => undefined) });
    const answer = silent.deps.redisGauge.get();
    await clock.advance(900);
    expect((await answer).redis).toEqual(down);
  });
});
