/** What the API is given: the parts of the engine under the names that the server knows them by, and its settings. */
import type { ConnectionProfile } from '#queue/contract/session';
import type { ConnectedEngine } from '#queue/engine/connect';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import { type RedisOptions, redisHosts } from '#queue/redis/options';
import type { Config } from './config';
import type { ProgramFiles } from './program-files';
import { OperationWatch } from './server/operation-watch';
import type { PoolManager } from './server/ports';
import { RedisGauge } from './server/redis-gauge';
import { Safety } from './server/safety';
import { type ConfiguredToken, DEFAULT_RATE_LIMIT, type ServerDeps } from './server/settings';
import { VERSION } from './version';
import { artifactsDirOf } from './worker-setup';

export interface ServerSurroundings {
  files: ProgramFiles;
  log: Log;
  clock: Clock;
  pools: PoolManager | null;
  /** Made by this process, beside the configured one: with any, every caller needs one. */
  tokens?: readonly ConfiguredToken[];
}

export function serverDepsOf(
  config: Config,
  redis: { options: RedisOptions; isLoopback: boolean },
  connected: ConnectedEngine,
  { files, log, clock, pools, tokens = [] }: ServerSurroundings,
): ServerDeps {
  const { engine, reader, directory, operations, recorder, audit, keys, ping, refusal, vitals } = connected;
  const { host, port, token, allowHosts, allowOrigins } = config.api;
  const probe = { ping, refusal, vitals };
  return {
    engine,
    reader,
    directory,
    operations: new OperationWatch(operations),
    pools,
    metrics: recorder,
    audit,
    keys,
    redis: probe,
    redisGauge: new RedisGauge(probe, clock),
    safety: new Safety(config.profile.safety, clock),
    clock,
    log,
    settings: {
      host,
      port,
      version: VERSION,
      redisIsLoopback: redis.isLoopback,
      profile: profileOf(config, redis.options),
      tokens: [...(token === null ? [] : [{ name: 'token', role: 'admin', token } as const]), ...tokens],
      allowedHosts: allowHosts,
      allowedOrigins: allowOrigins,
      rateLimit: DEFAULT_RATE_LIMIT,
      defaults: { maxRetries: config.maxRetries, timeoutMs: config.taskTimeoutMs },
      dashboardDir: files.dashboardDir,
      docsAssetsDir: files.docsAssetsDir,
      artifactsDir: artifactsDirOf(config),
    },
  };
}

const TOPOLOGIES = { single: 'standalone', sentinel: 'sentinel', cluster: 'cluster' } as const;

function profileOf({ profile, redis, prefix }: Config, options: RedisOptions): ConnectionProfile {
  return {
    name: profile.name,
    environment: profile.environment,
    topology: TOPOLOGIES[options.kind],
    tls: options.tls !== null,
    redis: redisHosts(options),
    database: options.db,
    owned: redis === null,
    prefix,
  };
}
