/**
 * Runs the server of a desktop window: the same one as `--headless`, on a free port of loopback. Where its Redis is not on
 * this machine, callers need a token: a new random one each time, which only the window gets, over the bridge.
 */
import { randomBytes } from 'node:crypto';
import type { Environment, SafetyLevel } from '#queue/contract/session';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import { isLoopback, type RedisOptions } from '#queue/redis/options';
import { composeServer, type ServerProcess } from './compose';
import { type Config, type ConfigInputs, loadConfig } from './config';
import type { ProgramFiles } from './program-files';
import type { RememberedPorts } from './remembered-ports';

const TOKEN_BYTES = 32;
const HOST = '127.0.0.1';

/** As the desktop's `Target`. */
export interface HostTarget {
  key: string;
  name: string;
  environment: Environment | null;
  /** Null: as configured. */
  connection: { redis: RedisOptions | null; prefix: string; safety: SafetyLevel } | null;
}

export interface HostServerDeps {
  inputs: ConfigInputs;
  files: ProgramFiles;
  ports: RememberedPorts;
  log: Log;
  clock: Clock;
}

export interface HostedServer
  extends Pick<ServerProcess, 'url' | 'runningTasks' | 'stop' | 'stopNow' | 'leaveWorkers'> {
  /** What callers need; null where they need none. */
  readonly token: string | null;
}

/** @throws {ConfigError | LocalRedisError | QueueError} with a message for people */
export async function hostServer(target: HostTarget, deps: HostServerDeps): Promise<HostedServer> {
  const { files, log, clock, ports } = deps;
  const config = await onOwnPort(configOf(target, deps.inputs), target, deps);
  const { token } = config.api;
  const server = await composeServer(config, {
    files,
    log: log.child({ connection: target.key }),
    clock,
    onWorkerLine: (line) => void process.stderr.write(`${line}\n`),
  });
  await server.start();
  ports.remember(target.key, Number(new URL(server.url).port));
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

function configOf({ connection, name, environment }: HostTarget, inputs: ConfigInputs): Config {
  if (connection === null) return loadConfig(inputs);
  const { redis, prefix, safety } = connection;
  return {
    ...loadConfig({ ...inputs, ignoreConnection: true }),
    redis,
    redisFromFlag: false,
    prefix,
    profile: { name, environment, safety },
  };
}

/**
 * The port that this target had last, so that its page has the same origin and finds what it kept (theme, widths); a free
 * one where that is taken. The configured port may be a headless process's; only one told for this start is meant for us.
 */
async function onOwnPort(config: Config, { key }: HostTarget, { inputs, ports }: HostServerDeps): Promise<Config> {
  const needsToken = config.redis !== null && !isLoopback(config.redis);
  const token = config.api.token ?? (needsToken ? randomBytes(TOKEN_BYTES).toString('base64url') : null);
  const port = inputs.flags.app_port === undefined ? await ports.freeFor(key) : config.api.port;
  return { ...config, api: { ...config.api, host: HOST, port, token } };
}
