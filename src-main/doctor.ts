/**
 * The doctor: looks at everything that a queue stands on, changes nothing, and says how to mend what is wrong.
 * Without a configured Redis it looks at the local one: the server that runs, else one started for the look.
 */
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import { DEFAULT_PREFIX, type RedisOptions } from '#queue/redis/options';
import {
  type ProbeConnection,
  ProbeError,
  type ProbeTarget,
  probe,
  probeLayout,
  probeTarget,
} from '#queue/redis/probe';
import { type Check, type CheckState, type Finding, fail, type Look, ok, runLooks, skipped } from './doctor/check';
import { checkLogin, checkRole, checkTcp, checkTransport, checkVersion } from './doctor/connection-checks';
import { nameOnThisNode } from './doctor/diagnose/cluster';
import { checkDataFolder, checkHandlers, checkPort, checkProgram, type HandlersLoaded } from './doctor/machine-checks';
import { checkQueues } from './doctor/queue-checks';
import { checkRights } from './doctor/rights-check';
import { checkClock, checkLatency } from './doctor/speed-checks';
import { checkEviction, checkMemory, checkPersistence, keepsNothing } from './doctor/storage-checks';
import type { RedisProgram } from './local-redis/find';
import { LocalRedis } from './local-redis/local-redis';

export interface DoctorOptions {
  /** Null: the local Redis of `dataDir`. */
  redis: RedisOptions | null;
  /** As `findRedisProgram`; asked only where `redis` is null. */
  findProgram: () => Promise<RedisProgram>;
  dataDir: string;
  /** Null where this process serves no API. */
  api: { host: string; port: number } | null;
  /** Null where no folder was given. */
  loadHandlers: (() => Promise<HandlersLoaded>) | null;
  clock: Clock;
  log: Log;
  /** Evenly in [0, 1). */
  random: () => number;
}

export interface DoctorReport {
  /** In the order in which they were made: each stands on those before it. */
  checks: Check[];
  /** The worst of them; skipped ones do not count. */
  state: Exclude<CheckState, 'skipped'>;
}

export async function runDoctor(options: DoctorOptions): Promise<DoctorReport> {
  const { clock } = options;
  const checks = options.redis === null ? await lookAtLocal(options) : await lookAtRemote(options, options.redis);
  checks.push(
    ...(await runLooks(
      [
        ...(options.api ? [portLook(options.api)] : []),
        { name: 'data folder', run: () => checkDataFolder(options.dataDir) },
        { name: 'handlers', run: () => checkHandlers(options.loadHandlers) },
      ],
      clock,
    )),
  );
  const states = new Set(checks.map((check) => check.state));
  return { checks, state: states.has('fail') ? 'fail' : states.has('warn') ? 'warn' : 'ok' };
}

const portLook = ({ host, port }: { host: string; port: number }): Look => ({
  name: 'api port',
  run: () => checkPort(host, port),
});

async function lookAtLocal(options: DoctorOptions): Promise<Check[]> {
  const { clock, log, random, dataDir, findProgram } = options;
  const local = new LocalRedis({ dataDir, find: findProgram, clock, log, random });
  const checks = await runLooks([{ name: 'redis program', run: () => checkProgram(findProgram) }], clock);
  let failure: unknown;
  try {
    await local.start().catch((error: unknown) => {
      failure = error;
    });
    if (failure !== undefined) {
      const message = failure instanceof Error ? failure.message : String(failure);
      return [...checks, ...(await runLooks([{ name: 'local redis', run: async () => fail(message, null) }], clock))];
    }
    checks.push(...(await lookAtServer(local.options(), 'single', DEFAULT_PREFIX, clock)));
  } finally {
    await local.stop(); // leaves it to those who use it
  }
  return checks;
}

async function lookAtRemote({ clock }: DoctorOptions, redis: RedisOptions): Promise<Check[]> {
  const found: { target?: ProbeTarget } = {};
  const checks = await runLooks(
    [
      { name: 'redis transport', run: async () => checkTransport(redis) },
      { name: redis.kind === 'sentinel' ? 'redis sentinels' : 'redis address', run: () => findTarget(redis, found) },
    ],
    clock,
  );
  if (found.target) checks.push(...(await lookAtServer(found.target, redis.kind, redis.prefix, clock)));
  return checks;
}

async function findTarget(redis: RedisOptions, found: { target?: ProbeTarget }): Promise<Finding> {
  try {
    found.target = await probeTarget(redis);
    const where = `${found.target.host}:${found.target.port}`;
    return ok(redis.kind === 'sentinel' ? `the master is ${where}` : where);
  } catch (error) {
    if (!(error instanceof ProbeError)) throw error;
    return fail(error.message, 'Check REDIS_SENTINELS and REDIS_SENTINEL_MASTER.');
  }
}

/** Each step stands on the one before: without a connection or a login there is nothing more to see. */
async function lookAtServer(
  target: ProbeTarget,
  kind: RedisOptions['kind'],
  prefix: string,
  clock: Clock,
): Promise<Check[]> {
  const checks = await runLooks([{ name: 'redis connection', run: () => checkTcp(target) }], clock);
  if (checks.some((check) => check.state === 'fail')) return checks;
  checks.push(...(await runLooks([{ name: 'redis login', run: () => checkLogin(target) }], clock)));
  if (checks.some((check) => check.state !== 'ok')) return checks;
  const within = await probe(target, (connection) => lookWithin(connection, target, kind, prefix, clock)).catch(
    (error: unknown) => runLooks([{ name: 'redis server', run: () => Promise.reject(error) }], clock),
  );
  return [...checks, ...within];
}

async function lookWithin(
  connection: ProbeConnection,
  target: ProbeTarget,
  kind: RedisOptions['kind'],
  prefix: string,
  clock: Clock,
): Promise<Check[]> {
  const info = await unlessDenied(connection.info());
  const appendfsync = await unlessDenied(connection.configGet('appendfsync'));
  const save = await unlessDenied(connection.configGet('save'));
  const fromInfo = (check: (info: ReadonlyMap<string, string>) => Finding) => async () =>
    info === null ? skipped('this user may not read INFO: ACL SETUSER <user> +info') : check(info);
  return runLooks(
    [
      { name: 'redis version', run: fromInfo(checkVersion) },
      { name: 'redis role', run: fromInfo((fields) => checkRole(fields, kind)) },
      { name: 'eviction policy', run: fromInfo(checkEviction) },
      {
        name: 'persistence',
        run: fromInfo((fields) =>
          keepsNothing(fields, save)
            ? fail(
                'neither AOF nor snapshots: every task is lost when Redis restarts',
                'CONFIG SET appendonly yes, and the same line in redis.conf',
              )
            : checkPersistence(fields, appendfsync),
        ),
      },
      { name: 'memory', run: fromInfo(checkMemory) },
      {
        name: 'rights',
        run: async () => {
          const name = kind === 'cluster' ? await nameOnThisNode(connection, prefix) : undefined;
          return checkRights(connection, prefix, target.username ?? null, name);
        },
      },
      { name: 'store layout', run: () => checkLayout(connection, prefix) },
      { name: 'queues', run: () => checkQueues(connection, prefix) },
      { name: 'latency', run: () => checkLatency(connection, clock) },
      { name: 'clock', run: () => checkClock(connection, clock) },
    ],
    clock,
  );
}

async function checkLayout(connection: ProbeConnection, prefix: string): Promise<Finding> {
  const found = await unlessDenied(probeLayout(connection, prefix));
  if (found === null) return skipped('this user may not look');
  const { other, known, queues } = found;
  return other === null ? ok(`layout ${known}, ${queues} queues`) : fail(`${other.detail}.`, `${other.cure}.`);
}

/** Null where the ACL, or a managed service without the command, forbids it. @throws {ProbeError} of any other kind */
function unlessDenied<T>(promise: Promise<T>): Promise<T | null> {
  return promise.catch((error: unknown) => {
    if (error instanceof ProbeError && (error.code === 'denied' || error.code === 'refused')) return null;
    throw error;
  });
}
