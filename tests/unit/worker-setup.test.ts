import { describe, expect, it } from 'vitest';
import { type Config, loadConfig } from '#main/config';
import { workerSetup } from '#main/worker-setup';
import type { RedisOptions } from '#queue/redis/options';

const REDIS: RedisOptions = {
  kind: 'single',
  nodes: [{ host: '10.0.0.7', port: 6380 }],
  db: 0,
  username: null,
  password: null,
  tls: null,
  prefix: 'mr',
};
const config = (env: Record<string, string> = {}): Config =>
  loadConfig({
    flags: {},
    configFile: null,
    cwd: '/nowhere',
    platform: 'linux',
    home: '/nowhere',
    env: { MILLRACE_DATA_DIR: '/nowhere/data', MILLRACE_ALLOW_PRIVATE: 'true', ...env },
  });
const role = { queues: [{ name: '*', weight: 1 }], concurrency: 1, handlersDir: null, pool: null, workerId: null };
const refused = (given: Config, apiPort: number | null) => workerSetup(given, REDIS, role, apiPort).builtIns?.refuse;
const redis = { host: '10.0.0.7', port: 6380 };

describe('what a worker never calls, whatever is allowed', () => {
  it('is, besides Redis, the API of its own server, at the port that it really has', () => {
    expect(refused(config({ APP_PORT: '0' }), 41234)).toEqual([redis, { host: '127.0.0.1', port: 41234 }]);
  });

  it('is, for a worker that was started by hand, the API that its configuration names', () => {
    expect(refused(config(), null)).toEqual([redis, { host: '127.0.0.1', port: 8000 }]);
    expect(refused(config({ APP_HOST: '10.0.0.9', APP_PORT: '9000' }), null)).toEqual([
      redis,
      { host: '10.0.0.9', port: 9000 },
    ]);
  });

  it('cannot name an API whose port nobody has said', () => {
    expect(refused(config({ APP_PORT: '0' }), null)).toEqual([redis]);
  });
});
