import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  BLANK_FIELDS,
  environmentOf,
  isLoopbackName,
  labelOf,
  type Profile,
  ProfileFields,
  safetyOf,
} from '#main/bridge/profiles-contract';
import { ProfileFault, profileOfUrl, redisOfProfile } from '#main/config/profile-redis';
import { wantedOf } from '#main/desktop/profiles/handlers';
import { targetOf } from '#main/desktop/target';
import { isLoopbackHost } from '#queue/kernel/loopback';
import { DEFAULT_PREFIX, DEFAULT_REDIS_PORT } from '#queue/redis/options';
import { fieldsOf } from '../support/profiles';

const faults = (fields: Partial<ProfileFields>) =>
  ProfileFields.safeParse(fieldsOf(fields)).error?.issues.map(({ path }) => path.join('.')) ?? [];
const sentinel: Partial<ProfileFields> = { kind: 'sentinel', nodes: [{ host: 's1', port: 26379 }], master: 'orders' };
const noSecrets = { password: null, sentinelPassword: null };

describe('a profile', () => {
  it('counts as production, and so as read-only, until a remote is labelled', () => {
    const remote = fieldsOf({ host: 'redis.example' });
    expect([environmentOf(remote), safetyOf(remote)]).toEqual(['production', 'read_only']);
    const dev = fieldsOf({ host: 'redis.example', environment: 'dev' });
    expect([environmentOf(dev), safetyOf(dev)]).toEqual(['dev', 'confirm']);
    expect([environmentOf(fieldsOf()), safetyOf(fieldsOf())]).toEqual(['local', 'open']);
    expect(safetyOf(fieldsOf({ environment: 'staging' }))).toBe('guarded');
    expect(safetyOf(fieldsOf({ environment: 'production', safety: 'confirm' }))).toBe('confirm');
    expect(
      environmentOf(
        fieldsOf({
          ...sentinel,
          nodes: [
            { host: 'localhost', port: 1 },
            { host: 'b', port: 1 },
          ],
        }),
      ),
    ).toBe('production');
  });

  it('says of a remote that nobody has labelled it, so that its window can, too', () => {
    const kept = { id: 'p1', passwordRef: null, sentinelPasswordRef: null, lastUsedAt: null, lastCheck: null };
    const remote: Profile = { ...fieldsOf({ host: 'redis.example' }), ...kept };
    const target = targetOf(wantedOf(remote, null));
    expect(target).toMatchObject({ environment: null, connection: { safety: 'read_only' } });
    expect(labelOf(fieldsOf())).toBe('local');
    expect(labelOf(fieldsOf({ host: 'redis.example', environment: 'production' }))).toBe('production');
  });

  it('begins as the program itself does', () => {
    expect([BLANK_FIELDS.prefix, BLANK_FIELDS.port]).toEqual([DEFAULT_PREFIX, DEFAULT_REDIS_PORT]);
  });

  it('needs what its topology needs', () => {
    expect(faults({})).toEqual([]);
    expect(faults({ host: '' })).toEqual(['host']);
    expect(faults({ kind: 'socket', socketPath: 'redis.sock' })).toEqual(['socketPath']);
    expect(faults({ kind: 'sentinel' })).toEqual(['nodes', 'master']);
    expect(faults({ ...sentinel })).toEqual([]);
    expect(faults({ kind: 'cluster', nodes: [{ host: 'c', port: 1 }], db: 2 })).toEqual(['db']);
    expect(faults({ tls: { ...fieldsOf().tls, on: true, certFile: '/c.pem' } })).toEqual(['tls.keyFile']);
    expect(faults({ name: ' ' })).toEqual(['name']);
    expect(faults({ prefix: 'a{b' })).toEqual(['prefix']);
    expect(faults({ port: 0 })).toEqual(['port']);
  });

  it('sends no password over a network in clear text without the switch for it', () => {
    const plain = { host: 'redis.example', usesPassword: true };
    expect(faults(plain)).toEqual(['allowPlainPassword']);
    expect(faults({ ...plain, allowPlainPassword: true })).toEqual([]);
    expect(faults({ ...plain, tls: { ...fieldsOf().tls, on: true } })).toEqual([]);
    expect(faults({ ...plain, host: '127.0.0.1' })).toEqual([]);
    expect(faults({ ...sentinel, usesSentinelPassword: true })).toEqual(['allowPlainPassword']);
  });

  it('knows this machine by the rule that the queue has', () => {
    const hosts = [
      'localhost',
      'a.localhost',
      '127.0.0.1',
      '127.9.9.9',
      '[::1]',
      '::1',
      '::ffff:127.0.0.1',
      'LOCALHOST',
    ];
    const others = [
      '127.example.org',
      '127.0.0.256',
      '127.0.0',
      '10.0.0.1',
      '::2',
      'localhost.example',
      '127.00.0.1',
      '',
    ];
    for (const host of [...hosts, ...others])
      expect([host, isLoopbackName(host)]).toEqual([host, isLoopbackHost(host)]);
    expect(hosts.every(isLoopbackName)).toBe(true);
  });
});

describe('an address that is pasted', () => {
  const both = async (url: string) => {
    const { fields, password } = profileOfUrl(url);
    return redisOfProfile(fields, { password, sentinelPassword: null });
  };

  it.each([
    [
      'redis://ada:p%40ss@db.example:6380/3',
      {
        kind: 'single',
        nodes: [{ host: 'db.example', port: 6380 }],
        db: 3,
        username: 'ada',
        password: 'p@ss',
        tls: null,
      },
    ],
    ['rediss://[::1]', { nodes: [{ host: '::1', port: 6379 }], tls: {} }],
    [
      'redis-sentinel://:pw@s1:26379,s2/main?db=2',
      {
        kind: 'sentinel',
        master: 'main',
        db: 2,
        password: 'pw',
        nodes: [
          { host: 's1', port: 26379 },
          { host: 's2', port: 26379 },
        ],
      },
    ],
    [
      'rediss-cluster://c1:7000,c2',
      {
        kind: 'cluster',
        tls: {},
        nodes: [
          { host: 'c1', port: 7000 },
          { host: 'c2', port: 6379 },
        ],
      },
    ],
    ['unix:/run/redis.sock?db=1', { kind: 'single', nodes: [], path: '/run/redis.sock', db: 1 }],
  ])('%s fills the fields, and they lead to the same Redis', async (url, options) => {
    expect(await both(url)).toMatchObject(options);
  });

  it('keeps the password apart, gives a name, and labels nothing', () => {
    const { fields, password } = profileOfUrl('rediss://ada:hush@eu-orders.redis.example:6380');
    expect(password).toBe('hush');
    expect(JSON.stringify(fields)).not.toContain('hush');
    expect(fields).toMatchObject({ name: 'eu-orders', environment: null, usesPassword: true, username: 'ada' });
    expect(profileOfUrl('redis-sentinel://s1/orders').fields.name).toBe('orders');
    expect(profileOfUrl('redis://10.0.0.7').fields.name).toBe('10.0.0.7');
    expect(profileOfUrl('unix:/run/redis/queue.sock').fields.name).toBe('queue');
  });

  it('is refused with a sentence that does not repeat it', () => {
    const refusal = () => profileOfUrl('http://user:hush@example');
    expect(refusal).toThrow(ProfileFault);
    expect(refusal).toThrow(/^The address must begin with redis:\/\//);
    expect(refusal).not.toThrow(/hush/);
  });
});

describe('a profile on its way to Redis', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-profile-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const tls = (more: Partial<ProfileFields['tls']>) => fieldsOf({ tls: { ...fieldsOf().tls, on: true, ...more } });

  it('reads the TLS files, and says which cannot be read', async () => {
    writeFileSync(join(dir, 'ca.pem'), '-----BEGIN CERTIFICATE-----');
    const good = await redisOfProfile(
      tls({ caFile: join(dir, 'ca.pem'), servername: 'db', rejectUnauthorized: false }),
      noSecrets,
    );
    expect(good.tls).toEqual({ ca: '-----BEGIN CERTIFICATE-----', servername: 'db', rejectUnauthorized: false });
    await expect(redisOfProfile(tls({ caFile: join(dir, 'none.pem') }), noSecrets)).rejects.toThrow(
      /The CA file cannot be read/,
    );
    writeFileSync(join(dir, 'der'), 'DER');
    await expect(redisOfProfile(tls({ caFile: join(dir, 'der') }), noSecrets)).rejects.toThrow(/not in PEM/);
  });

  it('hands over only the secrets that it says it uses', async () => {
    const secrets = { password: 'a', sentinelPassword: 'b' };
    expect(await redisOfProfile(fieldsOf(sentinel), secrets)).not.toHaveProperty('sentinelPassword');
    const using = fieldsOf({ ...sentinel, usesPassword: true, usesSentinelPassword: true, sentinelUsername: 's' });
    expect(await redisOfProfile(using, secrets)).toMatchObject({
      password: 'a',
      sentinelPassword: 'b',
      sentinelUsername: 's',
    });
    expect((await redisOfProfile(fieldsOf(), secrets)).password).toBeNull();
  });
});
