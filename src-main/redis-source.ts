/** The Redis that a process works with: the configured one, or the local one, which is started for it and owned. */
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import { describeRedis, isLoopback, type RedisOptions } from '#queue/redis/options';
import { ProbeError, probe, probeTarget } from '#queue/redis/probe';
import type { Config } from './config';
import { findRedisProgram } from './local-redis/find';
import { LocalRedis } from './local-redis/local-redis';

const REAP_MS = 5;

/** Why the engine has no connection, in a sentence: a wrong password looks like a server that is away, but is mended otherwise. */
export async function unreachable(options: RedisOptions): Promise<string> {
  const where = `Redis at ${describeRedis(options)}`;
  try {
    await probe(await probeTarget(options), (connection) => connection.ping());
    return `${where} does not answer in time`;
  } catch (error) {
    if (!(error instanceof ProbeError)) throw error;
    return `${where} cannot be used: ${error.message}`;
  }
}

export interface RedisSourceDeps {
  config: Config;
  resourcesDir: string;
  clock: Clock;
  log: Log;
  /** Evenly in [0, 1). */
  random: () => number;
}

export interface RedisInUse {
  options: RedisOptions;
  isLoopback: boolean;
  /** Leaves a configured Redis alone; ends the local one, unless another process uses it too. */
  release(): Promise<void>;
  /** As `release`, but a local one runs on. */
  leave(): Promise<void>;
}

/**
 * A configured Redis is not asked whether it is there.
 * @throws {LocalRedisError} with a message that says how to mend it
 */
export async function obtainRedis({ config, resourcesDir, clock, log, random }: RedisSourceDeps): Promise<RedisInUse> {
  if (config.redis)
    return {
      options: config.redis,
      isLoopback: isLoopback(config.redis),
      release: async () => undefined,
      leave: async () => undefined,
    };
  const { dataDir, searchPath, prefix } = config;
  const local = new LocalRedis({
    dataDir,
    find: () => findRedisProgram({ resourcesDir, searchPath }),
    clock,
    log,
    random,
  });
  await local.start();
  const { host, port, password } = local.options();
  return {
    options: { kind: 'single', nodes: [{ host, port }], db: 0, username: null, password, tls: null, prefix },
    isLoopback: true,
    release: async () => {
      await local.stop();
      await clock.sleep(REAP_MS); // Node collects its ended child: until then the pid still looks alive to others
    },
    leave: () => local.leave(),
  };
}
