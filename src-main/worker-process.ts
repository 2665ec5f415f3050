/** `millrace --worker`: one worker in this very process, so that whoever stops or kills the process stops the worker. */
import { join } from 'node:path';
import { toTaskSpec } from '#queue/engine/task-spec';
import { systemClock } from '#queue/kernel/clock';
import { random } from '#queue/kernel/ids';
import { createLog } from '#queue/kernel/log';
import { connectForWorker } from '#worker/engine-connection';
import { builtInHandlers } from '#worker/handlers/built-in';
import { runWorker } from '#worker/run-worker';
import { CliError, EXIT } from './cli/exit';
import { type Config, childEnvironment, forgetSecrets } from './config';
import { LocalRedisError } from './local-redis/local-redis-error';
import type { ProgramFiles } from './program-files';
import { obtainRedis } from './redis-source';
import { workerSetup } from './worker-setup';

/** @returns the exit code @throws {CliError} 3 where the local Redis cannot be had */
export async function runWorkerProcess(config: Config, files: ProgramFiles): Promise<number> {
  const log = createLog(config.log, { process: 'worker' });
  const redis = await obtainRedis({ config, resourcesDir: files.resourcesDir, clock: systemClock, log, random }).catch(
    (error: unknown) => {
      throw error instanceof LocalRedisError ? new CliError(EXIT.unreachable, error.message, { cause: error }) : error;
    },
  );
  const { queues, concurrency } = config;
  forgetSecrets();
  try {
    return await runWorker(
      workerSetup(config, redis.options, { queues, concurrency, handlersDir: null, pool: null, workerId: null }, null),
      {
        connect: connectForWorker,
        toTaskSpec,
        builtIns: builtInHandlers,
        leaseThread: join(files.root, 'out', 'main', 'lease-thread.js'),
        environment: childEnvironment(),
      },
    );
  } finally {
    await redis.release();
  }
}
