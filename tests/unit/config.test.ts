import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Config, ConfigError, type ConfigInputs, loadConfig } from '#main/config';
import { renderConfigDocs } from '#main/config/docs';
import { OPTION_KEYS, optionSpec } from '#main/config/options';
import { describeRedis, isLoopback } from '#queue/redis/options';
import { redactUrl } from '#queue/redis/url';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-config-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const load = (given: Partial<ConfigInputs> = {}): Config =>
  loadConfig({
    flags: {},
    configFile: null,
    cwd: dir,
    platform: 'linux',
    home: join(dir, 'home'),
    ...given,
    env: { MILLRACE_DATA_DIR: join(dir, 'data'), ...given.env },
  });

const faultsOf = (given: Partial<ConfigInputs>): readonly string[] => {
  try {
    load(given);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  throw new Error('was accepted');
};

describe('where an option comes from', () => {
  it('has the documented defaults when nothing is said', () => {
    expect(load()).toMatchObject({
      redis: null,
      prefix: 'mr',
      api: { host: '127.0.0.1', port: 8000, token: null, allowHosts: [] },
      workers: 1,
      concurrency: 10,
      queues: [{ name: '*', weight: 1 }],
      maxRetries: 3,
      taskTimeoutMs: 300_000,
      shutdownTimeoutMs: 25_000,
      log: { level: 'info', format: 'json' },
    });
  });

  it('prefers flags to the environment, that to .env, that to the config file', () => {
    writeFileSync(
      join(dir, 'config.json'),
      JSON.stringify({ concurrency: 1, workers: 1, app_port: 1001, max_retries: 1 }),
    );
    writeFileSync(join(dir, '.env'), 'CONCURRENCY=2\nWORKERS=2\nAPP_PORT=1002\n');
    const config = load({
      configFile: 'config.json',
      env: { CONCURRENCY: '3', WORKERS: '3' },
      flags: { concurrency: '4' },
    });
    expect([config.concurrency, config.workers, config.api.port, config.maxRetries]).toEqual([4, 3, 1002, 1]);
  });

  it('reads config.json in the data folder, and takes an empty variable for one that is not set', () => {
    writeFileSync(
      join(dir, 'config.json'),
      JSON.stringify({ app_port: 9100, queues: ['a', 'b=3'], files: './shared' }),
    );
    const config = load({ env: { MILLRACE_DATA_DIR: dir, APP_PORT: '' } });
    expect(config.api.port).toBe(9100);
    expect(config.queues).toEqual([
      { name: 'a', weight: 1 },
      { name: 'b', weight: 3 },
    ]);
    expect(config.files).toEqual([join(dir, 'shared')]);
  });

  it('takes * for every queue that is not named', () => {
    expect(load({ env: { QUEUES: 'emails=5,*' } }).queues).toEqual([
      { name: 'emails', weight: 5 },
      { name: '*', weight: 1 },
    ]);
  });

  it('keeps its data where the system wants it', () => {
    const env = { MILLRACE_DATA_DIR: undefined };
    expect(load({ env, home: '/home/ada' }).dataDir).toBe('/home/ada/.local/share/millrace');
    expect(load({ env: { ...env, XDG_DATA_HOME: '/srv/data' } }).dataDir).toBe('/srv/data/millrace');
    expect(load({ env, platform: 'darwin', home: '/Users/ada' }).dataDir).toBe(
      '/Users/ada/Library/Application Support/Millrace',
    );
    expect(load({ env: { ...env, LOCALAPPDATA: 'C:\\Local' }, platform: 'win32' }).dataDir).toMatch(
      /C:\\Local\\Millrace$/,
    );
  });
});

describe('faults', () => {
  it('tells all of them, each with its flag and its variable', () => {
    const faults = faultsOf({
      env: { APP_PORT: 'eighty', CONCURRENCY: '0', LOG_LEVEL: 'loud' },
      flags: { workers: '65' },
    });
    expect(faults).toHaveLength(4);
    expect(faults.join('\n')).toContain(
      '--port (APP_PORT): must be a whole number from 0 to 65535, got "eighty" (from the environment)',
    );
    expect(faults.join('\n')).toContain(
      '--workers (WORKERS): must be a whole number from 0 to 64, got 65 (from the flag)',
    );
  });

  it('suggests the option that was meant by an unknown name in the config file', () => {
    writeFileSync(join(dir, 'config.json'), JSON.stringify({ concurency: 5, colour: 'red' }));
    const faults = faultsOf({ configFile: 'config.json' });
    expect(faults[0]).toContain('unknown option "concurency", did you mean "concurrency"?');
    expect(faults[1]).toMatch(/unknown option "colour"$/);
  });

  it('refuses a config file that is missing, is not JSON, or moves the folder that it lies in', () => {
    expect(faultsOf({ configFile: 'nowhere.json' })[0]).toContain('cannot be read');
    writeFileSync(join(dir, 'bad.json'), '{');
    expect(faultsOf({ configFile: 'bad.json' })[0]).toContain('is not JSON');
    writeFileSync(join(dir, 'home.json'), '[]');
    expect(faultsOf({ configFile: 'home.json' })[0]).toContain('must hold a JSON object');
    const dataDir = join(dir, 'home/.local/share/millrace');
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(join(dataDir, 'config.json'), JSON.stringify({ data_dir: '/elsewhere' }));
    expect(faultsOf({ env: { MILLRACE_DATA_DIR: undefined } })[0]).toContain(
      'cannot stand in a file of the data folder itself',
    );
  });

  it('never repeats a secret', () => {
    const faults = faultsOf({ env: { MILLRACE_TOKEN: 'hush me', REDIS_URL: 'http://u:hush@h', SMTP_URL: 'hush' } });
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.join('\n')).not.toContain('hush');
  });

  it.each([
    ['emails,images=2,emails', 'names "emails" twice'],
    ...['a=0', 'a=101', 'a=1.5', 'a=x', 'a=1=2', 'a=-1', 'a=0x5', 'a='].map((text) => [
      text,
      'weight must be a whole number',
    ]),
    ['{x}', 'a queue name must be'],
    ['mail*', 'a queue name must be'],
    ['*,a,*', 'names "*" twice'],
    [',', 'must name at least one queue'],
  ])('refuses the queue list %s', (text, message) => {
    expect(faultsOf({ env: { QUEUES: text } })[0]).toContain(
      `--queues (QUEUES): ${message.startsWith('names') || message.startsWith('must') ? message : 'has'}`,
    );
    expect(faultsOf({ env: { QUEUES: text } })[0]).toContain(message);
  });
});

describe('where Redis is', () => {
  const redis = (env: Record<string, string>, flags: ConfigInputs['flags'] = {}) => load({ env, flags }).redis;
  const base = { db: 0, username: null, password: null, tls: null, prefix: 'mr' };

  it('reads a URL with user, password and database, percent-encoded', () => {
    expect(redis({ REDIS_URL: 'redis://ada:p%40ss@db.example:6380/3' })).toEqual({
      ...base,
      kind: 'single',
      nodes: [{ host: 'db.example', port: 6380 }],
      db: 3,
      username: 'ada',
      password: 'p@ss',
    });
    expect(redis({ REDIS_URL: 'redis://[::1]' })).toEqual({
      ...base,
      kind: 'single',
      nodes: [{ host: '::1', port: 6379 }],
    });
  });

  it('reads the path of a Unix socket, with or without a user', () => {
    const socket = { ...base, kind: 'single', nodes: [], path: '/run/redis/redis.sock' };
    expect(redis({ REDIS_URL: 'unix:/run/redis/redis.sock' })).toEqual(socket);
    const access = { db: 2, username: 'ada', password: 'p@ss' };
    expect(redis({ REDIS_URL: 'unix://ada:p%40ss@/run/redis/redis.sock?db=2' })).toEqual({ ...socket, ...access });
  });

  it('reads sentinels and clusters', () => {
    expect(redis({ REDIS_URL: 'redis-sentinel://:pw@s1:26379,s2/main?db=2' })).toEqual({
      ...base,
      kind: 'sentinel',
      master: 'main',
      nodes: [
        { host: 's1', port: 26379 },
        { host: 's2', port: 26379 },
      ],
      db: 2,
      password: 'pw',
    });
    expect(redis({ REDIS_URL: 'rediss-cluster://c1:7000,c2:7001' })).toMatchObject({ kind: 'cluster', tls: {} });
    expect(redis({ REDIS_SENTINELS: 's1:1,s2:2', REDIS_SENTINEL_MASTER: 'm' })).toMatchObject({
      kind: 'sentinel',
      master: 'm',
    });
    expect(redis({ REDIS_CLUSTER: 'c1,c2:7001' })).toMatchObject({
      kind: 'cluster',
      nodes: [{ port: 6379 }, { port: 7001 }],
    });
  });

  it('reads host, port, database, user, password and TLS one by one', () => {
    writeFileSync(join(dir, 'ca.pem'), 'PEM');
    const env = {
      REDIS_HOST: 'h',
      REDIS_PORT: '6390',
      REDIS_DB: '4',
      REDIS_USERNAME: 'u',
      REDIS_PASSWORD: 'p',
      REDIS_TLS: 'yes',
      REDIS_TLS_CA: 'ca.pem',
    };
    expect(redis(env)).toEqual({
      ...base,
      kind: 'single',
      nodes: [{ host: 'h', port: 6390 }],
      db: 4,
      username: 'u',
      password: 'p',
      tls: { ca: 'PEM' },
    });
  });

  it('lets the stronger source win, and the URL inside one source', () => {
    expect(redis({ REDIS_URL: 'redis://a', REDIS_HOST: 'b' })?.nodes[0]?.host).toBe('a');
    expect(redis({ REDIS_URL: 'redis://a' }, { redis_host: 'b' })?.nodes[0]?.host).toBe('b');
    expect(redis({ REDIS_URL: 'redis://a', REDIS_PASSWORD: 'p' })?.password).toBe('p');
  });

  it.each([
    ['http://h', 'must begin with redis://'],
    ['redis://', 'names no host'],
    ['unix:redis.sock', 'names no socket file'],
    ['unix:/redis.sock?x=1', 'unknown parameter "x"'],
    ['redis://h:99999', 'port outside'],
    ['redis://h/x', 'not a number'],
    ['redis://a,b', 'several hosts'],
    ['redis://h?ssl=1', 'unknown parameter "ssl"'],
    ['redis://u:%zz@h', 'percent'],
    ['redis-sentinel://s1', 'name of the master set'],
    ['redis-cluster://c/3', 'a cluster has only 0'],
  ])('refuses %s', (url, message) => {
    expect(faultsOf({ env: { REDIS_URL: url } })[0]).toContain(message);
  });

  it('knows which of them never leave this machine', () => {
    const loopback = (url: string) => {
      const options = redis({ REDIS_URL: url });
      return options !== null && isLoopback(options);
    };
    expect(
      ['redis://localhost', 'redis://127.0.0.9', 'redis://[::1]', 'redis://[::ffff:127.0.0.1]'].map(loopback),
    ).toEqual([true, true, true, true]);
    expect(['redis://127.example.org', 'redis://10.0.0.1', 'redis-cluster://localhost:1,db:2'].map(loopback)).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('can be told without its password', () => {
    const options = redis({ REDIS_URL: 'rediss://u:hush@db:6380/3' });
    expect(options && describeRedis(options)).toBe('rediss://db:6380/3');
    expect(redactUrl('redis://u:hush@db:6380/3')).toBe('redis://u:***@db:6380/3');
    const socket = redis({ REDIS_URL: 'unix://:hush@/run/redis.sock' });
    expect(socket && [describeRedis(socket), isLoopback(socket)]).toEqual(['unix:/run/redis.sock?db=0', true]);
    expect(redactUrl('unix://:hush@/run/redis.sock')).toBe('unix://:***@/run/redis.sock');
    expect(redactUrl('redis://:hu@sh@db/0')).not.toContain('hu@sh');
  });
});

describe('what a connection is', () => {
  const profileOf = (env: Record<string, string> = {}, flags: ConfigInputs['flags'] = {}) =>
    load({ env, flags }).profile;

  it('is local and open where Redis is on this machine', () => {
    expect(profileOf()).toEqual({ name: null, environment: 'local', safety: 'open' });
    expect(profileOf({ REDIS_URL: 'redis://127.0.0.1:6380' }).environment).toBe('local');
    expect(
      profileOf({ REDIS_SENTINELS: 'localhost:26379,db:26379', REDIS_SENTINEL_MASTER: 'm' }).environment,
    ).toBeNull();
  });

  it('is not told, and open, for a Redis elsewhere', () => {
    expect(profileOf({ REDIS_URL: 'redis://db:6379' })).toEqual({ name: null, environment: null, safety: 'open' });
  });

  it('is what was said: production alone does not lock', () => {
    const env = { REDIS_URL: 'rediss://db', MILLRACE_ENVIRONMENT: 'production', MILLRACE_PROFILE: ' Payments ' };
    expect(profileOf(env)).toEqual({ name: 'Payments', environment: 'production', safety: 'open' });
    expect(profileOf(env, { safe_mode: 'read-only', environment: 'staging' })).toEqual({
      name: 'Payments',
      environment: 'staging',
      safety: 'read_only',
    });
    expect(profileOf({ MILLRACE_SAFE_MODE: 'guarded' }).safety).toBe('guarded');
  });

  it('is refused where it is none', () => {
    const faults = faultsOf({
      env: { MILLRACE_ENVIRONMENT: 'prod', MILLRACE_SAFE_MODE: 'read_only', MILLRACE_PROFILE: 'x'.repeat(61) },
    });
    expect(faults.join('\n')).toContain(
      '--environment (MILLRACE_ENVIRONMENT): must be one of local, dev, staging, production, got "prod"',
    );
    expect(faults.join('\n')).toContain(
      '--safe-mode (MILLRACE_SAFE_MODE): must be one of open, confirm, guarded, read-only',
    );
    expect(faults.join('\n')).toContain('--profile-name (MILLRACE_PROFILE): must be 1 to 60 characters');
  });
});

describe('the documentation of the options', () => {
  it('is current: `npm run docs` writes it', () => {
    expect(readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8')).toBe(renderConfigDocs());
  });

  it('has every option once, with a flag and a variable of its own', () => {
    for (const part of ['flag', 'env'] as const) {
      const names = OPTION_KEYS.map((key) => optionSpec(key)[part].split(' ')[0]);
      expect(new Set(names).size).toBe(names.length);
    }
  });
});
