/** What the API is given: the parts of the engine under the names that the server knows them by, and its settings. */
import type { ConnectedEngine } from '#queue/engine/connect';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import type { Config } from './config';
import type { ProgramFiles } from './program-files';
import type { PoolManager } from './server/ports';
import { DEFAULT_RATE_LIMIT, type ServerDeps } from './server/settings';
import { VERSION } from './version';
import { artifactsDirOf } from './worker-setup';

export interface ServerSurroundings {
  files: ProgramFiles;
  log: Log;
  clock: Clock;
  pools: PoolManager | null;
}

export function serverDepsOf(
  config: Config,
  redis: { isLoopback: boolean },
  connected: ConnectedEngine,
  { files, log, clock, pools }: ServerSurroundings,
): ServerDeps {
  const { engine, reader, directory, operations, recorder, audit, keys, ping } = connected;
  const { host, port, token, allowHosts, allowOrigins } = config.api;
  return {
    engine,
    reader,
    directory,
    operations,
    pools,
    metrics: recorder,
    audit,
    keys,
    redis: { ping },
    clock,
    log,
    settings: {
      host,
      port,
      version: VERSION,
      redisIsLoopback: redis.isLoopback,
      tokens: token === null ? [] : [{ name: 'token', role: 'admin', token }],
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
