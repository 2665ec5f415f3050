/**
 * `millrace --headless`: runs the server process until a signal ends it.
 *
 * Prints one line with its address on standard output; the log is on standard error. SIGTERM and SIGINT stop
 * gracefully, within the shutdown time-out and five seconds, a second one at once; SIGTSTP and SIGUSR1 quiet the
 * workers. Nothing of it is left running, neither workers nor the Redis that it started.
 */
import { QueueError } from '#queue/contract/errors';
import { systemClock } from '#queue/kernel/clock';
import { createLog, type Log } from '#queue/kernel/log';
import { EXIT } from './cli/exit';
import { composeServer, type ServerProcess } from './compose';
import type { Config } from './config';
import { LocalRedisError } from './local-redis/local-redis-error';
import { ProcessSignals } from './process-signals';
import type { ProgramFiles } from './program-files';
import { VERSION } from './version';

/** On top of the workers' own time-out: for handing back tasks, open requests, and Redis. */
const STOP_GRACE_MS = 5_000;

/** @returns the exit code */
export async function runHeadless(config: Config, files: ProgramFiles): Promise<number> {
  const log = createLog(config.log, { process: 'server' });
  const signals = new ProcessSignals(log, systemClock);
  signals.listen();
  try {
    return await serve(config, files, log, signals);
  } catch (error) {
    return startFault(error, log);
  } finally {
    signals.unlisten();
  }
}

async function serve(config: Config, files: ProgramFiles, log: Log, signals: ProcessSignals): Promise<number> {
  const server = await composeServer(config, {
    files,
    log,
    clock: systemClock,
    onWorkerLine: (line) => void process.stderr.write(`${line}\n`),
  });
  signals.onQuiet = () => server.quiet();
  await server.start();
  process.stdout.write(`Millrace ${VERSION} on ${server.url}\n`);
  const fault = await signals.asked;
  log.info('stopping');
  const clean = await stopInTime(server, config, log, signals);
  if (fault !== null || !clean) return signals.hurried ? signals.secondCode : EXIT.failed;
  return EXIT.done;
}

/** @returns whether everything ended by itself and in time */
async function stopInTime(server: ServerProcess, config: Config, log: Log, signals: ProcessSignals): Promise<boolean> {
  const ended = new AbortController();
  const stopped = server.stop().then(() => 'stopped' as const);
  const late = systemClock.sleep(config.shutdownTimeoutMs + STOP_GRACE_MS, ended.signal).then(() => 'late' as const);
  const hurried = signals.atOnce.then(() => 'hurried' as const);
  const how = await Promise.race([stopped, late, hurried]);
  ended.abort();
  if (how === 'stopped') {
    log.info('stopped');
    return true;
  }
  log.warn(how === 'late' ? 'the time to stop is over: ending what still runs' : 'told again: ending at once');
  stopped.catch(() => undefined); // what the quick stop below throws is the same
  await server.stopNow();
  return false;
}

/** Says in one line why it could not start. */
function startFault(error: unknown, log: Log): number {
  if (error instanceof QueueError || error instanceof LocalRedisError) {
    process.stderr.write(`millrace: ${error.message}\n`);
    if (error instanceof LocalRedisError) return EXIT.unreachable;
    return error.code === 'UNAUTHENTICATED' ? EXIT.usage : error.status === 503 ? EXIT.unreachable : EXIT.failed;
  }
  if (error instanceof Error && error.cause instanceof Error && 'code' in error.cause) {
    process.stderr.write(`millrace: ${error.message}\n`);
    return EXIT.failed;
  }
  log.error('could not start', { error });
  return EXIT.failed;
}
