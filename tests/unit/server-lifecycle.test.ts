import { describe, expect, it } from 'vitest';
import { HttpServer } from '#main/server/http-server';
import { advanceSteps, gate, started } from '../support/api-socket';
import { createWorld } from '../support/api-world';
import { ManualClock } from '../support/manual-clock';

describe('starting', () => {
  it('tells who is in the way where the port is taken', async () => {
    await using world = await started();
    const second = new HttpServer({ ...world.deps, settings: { ...world.deps.settings, port: world.port } });
    await expect(second.start()).rejects.toThrow(`port ${world.port} on 127.0.0.1 is in use`);
    await second.stop();
  });

  it('binds nothing without a token where one is needed', async () => {
    for (const settings of [{ host: '0.0.0.0' }, { redisIsLoopback: false }]) {
      const { deps } = createWorld({ settings });
      const server = new HttpServer(deps);
      await expect(server.start()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
      expect(server.server.listening).toBe(false);
    }
  });

  it('is content with a key made in the app', async () => {
    const { deps, keys } = createWorld({ settings: { redisIsLoopback: false } });
    keys.push({ id: 'k', name: 'k', role: 'viewer', createdAt: 0, sha256: '00' });
    const server = new HttpServer(deps);
    await server.start();
    expect((await fetch(`${server.url}/api/queues`)).status).toBe(401);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    await server.stop();
  });

  it('asks for the token that was configured', async () => {
    await using world = await started({ settings: { tokens: [{ name: 'token', role: 'admin', token: 's3cret' }] } });
    expect((await fetch(`${world.server.url}/api/queues`)).status).toBe(401);
    expect(
      (await fetch(`${world.server.url}/api/queues`, { headers: { authorization: 'Bearer s3cret' } })).status,
    ).toBe(200);
    expect(await world.server.authenticate({ 'sec-websocket-protocol': 'millrace, bearer.s3cret' })).toMatchObject({
      role: 'admin',
    });
    await expect(world.server.authenticate({})).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

describe('stopping', () => {
  it('may come twice, and before the start', async () => {
    const { deps } = createWorld();
    const server = new HttpServer(deps);
    await server.stop();
    await server.stop();
  });

  it('answers what is under way first, and takes nothing new', async () => {
    const work = gate();
    const entered = gate();
    await using world = await started({
      engine: {
        pause: async () => {
          entered.resolve();
          await work.promise;
        },
      },
    });
    world.queue.put();
    const { url } = world.server;
    const answer = fetch(`${url}/api/queues/default/pause`, { method: 'POST' });
    await entered.promise;
    const stopped = world.server.stop();
    await expect(fetch(`${url}/health`)).rejects.toThrow();
    work.resolve();
    expect((await answer).status).toBe(200);
    await stopped;
  });

  it('cuts what has not ended after 5 s', async () => {
    const clock = new ManualClock();
    const entered = gate();
    const never = () => {
      entered.resolve();
      return new Promise<void>(() => undefined);
    };
    const world = await started({ clock, engine: { pause: never } });
    const answer = fetch(`${world.server.url}/api/queues/default/pause`, { method: 'POST' }).catch(
      (error: Error) => error.message,
    );
    await entered.promise;
    const stopped = world.server.stop();
    await advanceSteps(clock, 5000);
    await stopped;
    expect(await answer).toBe('fetch failed');
  });
});

describe('while Redis is away', () => {
  it('answers 503 within a second and a half instead of waiting', async () => {
    const clock = new ManualClock();
    const { call, redis } = createWorld({ clock, engine: { submit: () => new Promise(() => undefined) } });
    redis.up = false;
    const answer = call('POST', '/api/tasks', { task_type: 'email' });
    await advanceSteps(clock, 1400);
    const { status, body, headers } = await answer;
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'REDIS_UNREACHABLE', '1']);
  });

  it('counts a ping without an answer as none', async () => {
    const clock = new ManualClock();
    const world = createWorld({ clock, engine: { submit: () => new Promise(() => undefined) } });
    world.deps.redis.ping = () => new Promise(() => undefined);
    const answer = world.call('POST', '/api/tasks', { task_type: 'email' });
    await advanceSteps(clock, 1400);
    expect((await answer).status).toBe(503);
  });

  it('waits for slow work as long as Redis answers', async () => {
    const clock = new ManualClock();
    const work = gate();
    const { call, queue } = createWorld({ clock, engine: { pause: () => work.promise } });
    queue.put();
    const answer = call('POST', '/api/queues/default/pause');
    await advanceSteps(clock, 20_000);
    work.resolve();
    expect((await answer).status).toBe(200);
  });

  it('tells it in /health and /readyz, but stays alive', async () => {
    const { call, redis } = createWorld();
    expect((await call('GET', '/health')).body).toMatchObject({
      status: 'ok',
      redis: 'up',
      version: '1.2.3',
      uptime: expect.any(Number),
    });
    redis.up = false;
    const health = await call('GET', '/health');
    expect([health.status, health.body.status, health.body.redis]).toEqual([503, 'degraded', 'down']);
    expect((await call('GET', '/readyz')).status).toBe(503);
    expect((await call('GET', '/healthz')).status).toBe(200);
    expect((await call('GET', '/metrics')).text).toContain('millrace_redis_up 0');
  });
});
