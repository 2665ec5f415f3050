/** The local Redis as the product starts it, with the redis-server of this machine. */
import { findRedisProgram } from '#main/local-redis/find';
import { LocalRedis, type LocalRedisDeps } from '#main/local-redis/local-redis';
import { systemClock } from '#queue/kernel/clock';
import { silentLog } from '#queue/kernel/log';

export const localRedisIn = (dataDir: string, deps: Partial<LocalRedisDeps> = {}): LocalRedis =>
  new LocalRedis({
    dataDir,
    find: () => findRedisProgram({ resourcesDir: null, searchPath: process.env.PATH ?? '' }),
    clock: systemClock,
    log: silentLog,
    random: Math.random,
    ...deps,
  });
