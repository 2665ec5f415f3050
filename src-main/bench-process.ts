/** Gives `millrace bench` its Redis: the configured one, or the local one for as long as it measures. */
import { connectEngine } from '#queue/engine/connect';
import { random } from '#queue/kernel/ids';
import type { Log } from '#queue/kernel/log';
import { describeRedis } from '#queue/redis/options';
import { probe, probeTarget } from '#queue/redis/probe';
import { type BenchOptions, type BenchReport, runBench } from './cli/bench-run';
import { CliError, EXIT } from './cli/exit';
import type { CliIo } from './cli/io';
import type { Config } from './config';
import { LocalRedisError } from './local-redis/local-redis-error';
import type { ProgramFiles } from './program-files';
import { obtainRedis, unreachable } from './redis-source';

const READY_MS = 5_000;
const PREFIX_LENGTH = 58;

/** @throws {CliError} 3 where Redis does not answer */
export async function runBenchOn(
  config: Config,
  options: BenchOptions,
  { files, io, log }: { files: ProgramFiles; io: CliIo; log: Log },
): Promise<BenchReport> {
  const { clock, interrupted: signal } = io;
  const redis = await obtainRedis({ config, resourcesDir: files.resourcesDir, clock, log, random }).catch(
    (error: unknown) => {
      throw error instanceof LocalRedisError ? new CliError(EXIT.unreachable, error.message, { cause: error }) : error;
    },
  );
  // Beside the real queues, so that the bench's own never shows among them.
  const prefix = `${redis.options.prefix.slice(0, PREFIX_LENGTH)}-bench`;
  const connected = connectEngine({ ...redis.options, prefix }, { clock, log, name: 'bench' });
  try {
    const where = describeRedis(redis.options);
    if (!(await connected.whenReady(READY_MS))) throw new CliError(EXIT.unreachable, await unreachable(redis.options));
    const version = await redisVersion(redis.options);
    const { engine, reader } = connected;
    const report = await runBench({ engine, reader, clock, signal, tell: (line) => io.err(`${line}\n`) }, options);
    return { redis: where, redis_version: version, ...report };
  } finally {
    await connected.close();
    await redis.release();
  }
}

async function redisVersion(options: Parameters<typeof probeTarget>[0]): Promise<string> {
  const info = await probe(await probeTarget(options), (connection) => connection.info('server')).catch(() => null); // INFO may be denied
  return info?.get('redis_version') ?? 'of an unknown version';
}
