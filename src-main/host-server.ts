/**
 * Runs the server of a desktop window: the same one as `--headless`, on a free port of loopback. Where its Redis is not on
 * this machine, callers need a token: a new random one each time, which only the window gets, over the bridge.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import { isLoopback } from '#queue/redis/options';
import { composeServer, type ServerProcess } from './compose';
import { type Config, type ConfigInputs, loadConfig } from './config';
import type { ProgramFiles } from './program-files';

const TOKEN_BYTES = 32;

export interface HostServerDeps {
  inputs: ConfigInputs;
  files: ProgramFiles;
  log: Log;
  clock: Clock;
}

export interface HostedServer
  extends Pick<ServerProcess, 'url' | 'runningTasks' | 'stop' | 'stopNow' | 'leaveWorkers'> {
  /** What callers need; null where they need none. */
  readonly token: string | null;
}

/**
 * @param target `connection` as in `ConfigInputs`; `key` for the log
 * @throws {ConfigError | LocalRedisError | QueueError} with a message for people
 */
export async function hostServer(
  target: { key: string; connection: Readonly<Record<string, unknown>> | null },
  { inputs, files, log, clock }: HostServerDeps,
): Promise<HostedServer> {
  const config = onOwnPort(loadConfig({ ...inputs, connection: target.connection }), inputs);
  const { token } = config.api;
  const server = await composeServer(config, {
    files,
    log: log.child({ connection: target.key }),
    clock,
    onWorkerLine: (line) => void process.stderr.write(`${line}\n`),
  });
  await server.start();
  return {
    url: server.url,
    token,
    get runningTasks() {
      return server.runningTasks;
    },
    stop: () => server.stop(),
    stopNow: () => server.stopNow(),
    leaveWorkers: () => server.leaveWorkers(),
  };
}

/** The configured port may be taken by a headless process; only one that was told for this start is meant for us. */
function onOwnPort(config: Config, { flags }: ConfigInputs): Config {
  const needsToken = config.redis !== null && !isLoopback(config.redis);
  const token = config.api.token ?? (needsToken ? randomBytes(TOKEN_BYTES).toString('base64url') : null);
  const port = flags.app_port === undefined ? 0 : config.api.port;
  return { ...config, api: { ...config.api, host: '127.0.0.1', port, token } };
}
