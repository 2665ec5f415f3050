/** What a worker process is told: made from our configuration, the Redis that is used, and the pool it belongs to. */
import { join } from 'node:path';
import type { RedisOptions } from '#queue/redis/options';
import type { QueueWeight, WorkerConfigInput } from '#worker/config';
import type { Config } from './config';
import { VERSION } from './version';

export const artifactsDirOf = (config: Config): string => join(config.dataDir, 'artifacts');
export const outboxDirOf = (config: Config): string => join(config.dataDir, 'outbox');

export interface WorkerRole {
  queues: readonly QueueWeight[];
  concurrency: number;
  /** Null: those of the configuration. */
  handlersDir: string | null;
  pool: string | null;
  workerId: string | null;
}

/** @param apiPort where our own API listens; null where this process has none: then the configuration may name one */
export function workerSetup(
  config: Config,
  redis: RedisOptions,
  role: WorkerRole,
  apiPort: number | null,
): WorkerConfigInput {
  const handlers = role.handlersDir ?? config.handlersDir;
  const port = apiPort ?? config.api.port; // 0: a free one, which nobody here knows
  const { smtpUrl, mailFrom, ai, privateAccess } = config;
  return {
    redis,
    queues: role.queues.map(({ name, weight }) => ({ name, weight })),
    concurrency: role.concurrency,
    shutdownTimeoutMs: config.shutdownTimeoutMs,
    handlers: handlers === null ? [] : [handlers],
    files: config.files,
    artifactsDir: artifactsDirOf(config),
    pool: role.pool,
    workerId: role.workerId,
    taskDefaults: { maxRetries: config.maxRetries, timeoutMs: config.taskTimeoutMs },
    builtIns: {
      smtpUrl,
      mailFrom,
      outboxDir: outboxDirOf(config),
      allowPrivate: privateAccess.all,
      allowHosts: privateAccess.hosts,
      refuse: [...redis.nodes, ...(port === 0 ? [] : [{ host: config.api.host, port }])],
      ai,
    },
    version: VERSION,
    log: config.log,
  };
}
