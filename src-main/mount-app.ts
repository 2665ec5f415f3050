/** The API inside the process of a command: the same app as the server's, without a socket and without a token. */
import { connectEngine } from '#queue/engine/connect';
import { systemClock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import { describeRedis, isLoopback } from '#queue/redis/options';
import type { Transport } from './cli/api-client';
import { CliError, EXIT } from './cli/exit';
import type { Config } from './config';
import type { ProgramFiles } from './program-files';
import { unreachable } from './redis-source';
import { createApp } from './server/app';
import { serverDepsOf } from './server-deps';

/** How long a command waits for its Redis. */
const MOUNT_READY_MS = 3_000;

/** The API inside this process, over the configured Redis. @throws {CliError} 3 where that does not answer */
export async function mountApp(config: Config, { files, log }: { files: ProgramFiles; log: Log }): Promise<Transport> {
  const clock = systemClock;
  if (!config.redis) throw new CliError(EXIT.usage, 'no Redis is configured: give --redis URL or REDIS_URL');
  const where = describeRedis(config.redis);
  const connected = connectEngine(config.redis, { clock, log, name: 'cli' });
  if (!(await connected.whenReady(MOUNT_READY_MS))) {
    await connected.close();
    throw new CliError(EXIT.unreachable, await unreachable(config.redis));
  }
  const redis = { options: config.redis, isLoopback: isLoopback(config.redis) };
  const deps = serverDepsOf(config, redis, connected, {
    files,
    log,
    clock,
    pools: null,
  });
  const app = createApp(deps);
  // A drain that this command starts is carried out here, as there may be no server that would.
  await connected.carrier.start();
  return {
    where,
    fetch: async (path, init) => app.request(`http://127.0.0.1${path}`, init),
    close: () => connected.close(),
  };
}
