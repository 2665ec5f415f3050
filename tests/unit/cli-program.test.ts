import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rewrite } from '#main/cli/program';
import type { Config } from '#main/config';
import { CliWorld, ID, problem, task } from '../support/cli-world';

let world: CliWorld;
beforeEach(async () => {
  world = await CliWorld.start();
});
afterEach(() => world.stop());

describe('which API is asked', () => {
  const mounted = (config: Config) => ({
    where: 'mounted',
    fetch: async () => Response.json(task({ owner: config.prefix })),
    close: async () => undefined,
  });

  it('is the one of --api, with the token', async () => {
    world.answers[`GET /api/tasks/${ID}`] = [{ status: 200, body: task() }];
    const { code } = await world.run(['task', ID, '--api', `127.0.0.1:${world.port}/`, '--token', 'sesame'], {
      env: { APP_PORT: '1' },
    });
    expect(code).toBe(0);
    expect(world.seen[0]?.token).toBe('Bearer sesame');
  });

  it('is mounted here for --redis, whatever else answers', async () => {
    const { out } = await world.run(['task', ID, '--redis', 'redis://h', '--prefix', 'p'], {
      deps: { mount: async (config) => mounted(config) },
    });
    expect(JSON.parse(out).owner).toBe('p');
    expect(world.seen).toEqual([]);
  });

  it('is the one that runs before the Redis of the environment, and the other way round when none runs', async () => {
    world.answers[`GET /api/tasks/${ID}`] = [{ status: 200, body: task() }];
    const deps = { mount: async (config: Config) => mounted(config) };
    expect(JSON.parse((await world.run(['task', ID], { env: { REDIS_URL: 'redis://h' }, deps })).out).owner).toBeNull();
    expect(
      JSON.parse((await world.run(['task', ID], { env: { REDIS_URL: 'redis://h', APP_PORT: '1' }, deps })).out).owner,
    ).toBe('mr');
  });

  it('ends with 3 where there is none, or something else answers', async () => {
    const none = await world.run(['task', ID], { env: { APP_PORT: '1' } });
    expect(none.code).toBe(3);
    expect(none.err).toContain('no Millrace answers at http://127.0.0.1:1');
    world.answers['GET /health'] = [{ status: 200, body: { hello: 1 } }];
    expect((await world.run(['task', ID])).err).toContain('something else answers there');
    expect((await world.run(['task', ID, '--api', 'http://127.0.0.1:1'])).code).toBe(3);
  });

  it('ends with 3 while its Redis is away', async () => {
    world.answers[`GET /api/tasks/${ID}`] = [problem(503, 'Redis is unreachable')];
    expect((await world.run(['task', ID])).code).toBe(3);
  });
});

describe('the program', () => {
  it('has help and a version for everything, on standard output', async () => {
    const commands = [
      'serve',
      'worker',
      'submit',
      'tasks',
      'task',
      'cancel',
      'retry',
      'logs',
      'dlq',
      'queues',
      'workers',
      'stats',
      'bench',
      'doctor',
    ];
    const { code, out } = await world.run(['--help']);
    expect(code).toBe(0);
    for (const command of commands) expect(out).toContain(`  ${command} `);
    for (const command of commands) {
      const help = await world.run([command, '--help']);
      expect(help.code, command).toBe(0);
      expect(help.out, command).toContain(`Usage: millrace ${command}`);
    }
    expect((await world.run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await world.run(['--headless', '--help'])).out).toContain('Usage: millrace serve');
  });

  it('takes --headless and --worker as commands, wherever they stand', () => {
    expect(rewrite(['--headless', '--port', '1'])).toEqual(['serve', '--port', '1']);
    expect(rewrite(['--log-level', 'debug', '--worker'])).toEqual(['worker', '--log-level', 'debug']);
    expect(rewrite(['submit', 'x', '--', '--worker'])).toEqual(['submit', 'x', '--', '--worker']);
  });

  it('hands the configuration of flags and environment to what it runs, and its exit code on', async () => {
    let served: Config | undefined;
    const serve = async (config: Config) => {
      served = config;
      return 143;
    };
    const { code } = await world.run(
      ['--headless', '--port', '0', '--queues', 'a', '--queues', 'b=2', '--files', '/x', '--files', '/y'],
      { env: { WORKERS: '0' }, deps: { serve } },
    );
    expect(code).toBe(143);
    expect(served).toMatchObject({
      api: { port: 0 },
      workers: 0,
      queues: [
        { name: 'a', weight: 1 },
        { name: 'b', weight: 2 },
      ],
      files: ['/x', '/y'],
    });
  });

  it('prints what the doctor found, and ends as it must', async () => {
    const check = { name: 'persistence', state: 'fail', detail: 'no AOF', cure: 'appendonly yes', ms: 1 } as const;
    const bad = await world.run(['doctor'], { deps: { doctor: async () => ({ checks: [check], state: 'fail' }) } });
    expect(bad.code).toBe(1);
    expect(bad.out).toMatch(/FAIL {2}persistence {2}no AOF\n +→ appendonly yes/);
    const away = await world.run(['doctor', '--json'], {
      deps: { doctor: async () => ({ checks: [{ ...check, name: 'redis connection' }], state: 'fail' }) },
    });
    expect(away.code).toBe(3);
    expect(JSON.parse(away.out).state).toBe('fail');
  });

  it('prints the figures of the bench', async () => {
    const latency = { p50: 1, p95: 2, p99: 3, max: 4 };
    const report = {
      redis: 'redis://h:1/0',
      redis_version: '7.0.15',
      tasks: 100,
      payload_bytes: 100,
      submit_per_second: 12345.6,
      work_per_second: 1,
      submit_ms: latency,
      start_ms: latency,
    };
    const { out } = await world.run(['bench', '--tasks', '100'], { deps: { bench: async () => report } });
    expect(out).toMatch(/submit, in bulk +12,346 \/s/);
    expect(out).toContain('redis://h:1/0 (Redis 7.0.15)');
  });
});
