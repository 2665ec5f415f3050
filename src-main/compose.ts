/**
 * The one place that makes instances. `composeServer` builds what `--headless` and the desktop run: API, dashboard, event
 * stream, worker pools and upkeep over one Redis.
 */
import { join } from 'node:path';
import { QueueError } from '#queue/contract/errors';
import { type ConnectedEngine, connectEngine } from '#queue/engine/connect';
import { toTask } from '#queue/engine/task-view';
import type { Clock } from '#queue/kernel/clock';
import { random } from '#queue/kernel/ids';
import type { Log } from '#queue/kernel/log';
import { type Service, startAll, stopAll } from '#queue/kernel/service';
import { describeRedis, type RedisOptions } from '#queue/redis/options';
import { type Config, childEnvironment } from './config';
import { FilePruner } from './file-pruner';
import { Autoscaler } from './pools/autoscaler';
import { LeftWorkers } from './pools/left-workers';
import { WorkerPools } from './pools/pool-manager';
import { PoolStore } from './pools/pool-store';
import type { ProgramFiles } from './program-files';
import { obtainRedis, type RedisInUse } from './redis-source';
import { FleetView } from './server/fleet-view';
import { HttpServer } from './server/http-server';
import type { ConfiguredToken, ServerDeps } from './server/settings';
import { StreamServer } from './server/stream-server';
import { requireTokenOrRefuse } from './server/token-rule';
import { serverDepsOf } from './server-deps';
import { VERSION } from './version';
import { artifactsDirOf, outboxDirOf, workerSetup } from './worker-setup';

export interface ComposeDeps {
  files: ProgramFiles;
  log: Log;
  clock: Clock;
  /** Tokens of this process' own clients, such as its windows, beside the configured one. With any, all callers need one. */
  tokens?: readonly ConfiguredToken[];
  /** Every line that a worker process prints. */
  onWorkerLine: (line: string) => void;
}

/** API, dashboard, event stream, worker pools and upkeep, started and stopped as one. */
export interface ServerProcess {
  /** Only after `start`. */
  readonly url: string;
  readonly redis: RedisOptions;
  /** @throws where the port is taken, or a token is needed and there is none: nothing is left running then */
  start(): Promise<void>;
  /** Workers first, so that the API tells how they end; Redis last. */
  stop(): Promise<void>;
  /** Ends the worker processes at once, then the rest. */
  stopNow(): Promise<void>;
  /** As `stop`, but the workers run on, and with them the local Redis; the next start adopts it. */
  leaveWorkers(): Promise<void>;
  /** The workers finish what they run and take nothing new. */
  quiet(): void;
  /** Tasks that the workers of this process run. */
  readonly runningTasks: number;
}

/** Starts the local Redis where none is configured. @throws {LocalRedisError} */
export async function composeServer(config: Config, deps: ComposeDeps): Promise<ServerProcess> {
  const { files, log, clock } = deps;
  const redis = await obtainRedis({ config, resourcesDir: files.resourcesDir, clock, log, random });
  log.info('using Redis', { redis: describeRedis(redis.options), owned: config.redis === null });
  const connected = connectEngine(redis.options, { clock, log, name: 'api' });
  const pools = new WorkerPools({
    configured:
      config.workers === 0
        ? null
        : {
            name: 'default',
            queues: config.queues,
            concurrency: config.concurrency,
            processes: config.workers,
            handlers: config.handlersDir,
            autoscale: null,
          },
    store: new PoolStore(join(config.dataDir, 'pools.json')),
    left: new LeftWorkers(join(config.dataDir, 'left-workers.json'), log),
    program: { entry: files.workerEntry, env: childEnvironment() },
    workerConfig: ({ id, queues, concurrency, handlers }, workerId) =>
      workerSetup(
        config,
        redis.options,
        { queues, concurrency, handlersDir: handlers, pool: id, workerId },
        http.address.port,
      ),
    shutdownTimeoutMs: config.shutdownTimeoutMs,
    clock,
    log,
    random,
    onLine: deps.onWorkerLine,
  });
  const { tokens = [] } = deps;
  const serverDeps = serverDepsOf(config, redis, connected, { files, log, clock, pools, tokens });
  const http = new HttpServer(serverDeps);
  const stream = composeStream(http, connected, serverDeps);
  let stopping = false;
  connected.store.onConnection((up) => {
    if (stopping) return; // we closed it ourselves
    log[up ? 'info' : 'warn'](up ? 'Redis is there' : 'Redis is not reachable');
    stream.redisIs(up ? 'up' : 'down');
  });
  const autoscaler = new Autoscaler({
    pools: () => pools.pools,
    oldestAgeMs: async (queue) => {
      const state = await connected.reader.queueState(queue);
      return state === null || state.oldestPendingAt === null ? null : Math.max(0, state.now - state.oldestPendingAt);
    },
    queueNames: () => connected.registry.names(),
    clock,
    log,
  });
  const filePruner = new FilePruner({
    artifactsDir: artifactsDirOf(config),
    outboxDir: outboxDirOf(config),
    keepMs: config.keepArtifactsMs,
    storeId: () => connected.identity(),
    areThere: async (ids) => (await connected.reader.getTasks(ids, { full: false })).map((task) => task !== null),
    clock,
    log,
  });
  // The API first: where it may not start, nothing else should have begun.
  const services: Service[] = [
    http,
    stream,
    connected.upkeep,
    connected.carrier,
    connected.recorder,
    pools,
    autoscaler,
    filePruner,
  ];
  const release = async () => {
    stopping = true;
    await connected.close();
    await redis.release();
  };
  const stop = async () => {
    try {
      await stopAll(services);
    } finally {
      await release();
    }
  };
  return {
    get url() {
      return http.url;
    },
    redis: redis.options,
    start: () =>
      startAll(services).catch(async (error: unknown) => {
        await release();
        throw tokens.length > 0 ? error : startFault(error, config, redis);
      }),
    stop,
    stopNow: async () => {
      await pools.kill();
      await stop();
    },
    leaveWorkers: async () => {
      await pools.detach();
      try {
        await stopAll(services);
      } finally {
        stopping = true;
        await connected.close();
        await redis.leave();
      }
    },
    quiet: () => pools.quiet(),
    get runningTasks() {
      return pools.runningTasks;
    },
  };
}

/** A Redis that is away hides whether there are keys. Then the lack of a token is what has to be mended first. */
function startFault(error: unknown, { api }: Config, { isLoopback: local }: RedisInUse): unknown {
  const unknownKeys = error instanceof QueueError && error.code === 'REDIS_UNREACHABLE' && api.token === null;
  if (!unknownKeys) return error;
  try {
    requireTokenOrRefuse(api.host, local, 0);
    return error;
  } catch (refusal) {
    return refusal;
  }
}

const SNAPSHOT_TASKS = 50;

function composeStream(http: HttpServer, { feed, reader }: ConnectedEngine, deps: ServerDeps): StreamServer {
  const { clock, log, safety, operations } = deps;
  const fleet = new FleetView(deps);
  const readers = {
    stats: () => fleet.overview(),
    queues: () => fleet.queues(),
    workers: () => fleet.workers(),
    system: () => deps.redisGauge.get(),
  };
  return new StreamServer({
    ...readers,
    http: http.server,
    checkRequest: (headers) => http.checkRequest(headers),
    authenticate: (headers) => http.authenticate(headers),
    feed,
    safety,
    operations,
    snapshot: async () => {
      const [stats, queues, workers, system, active, page] = await Promise.all([
        readers.stats(),
        readers.queues(),
        readers.workers(),
        readers.system(),
        operations.active(),
        reader.listTasks({}, { limit: SNAPSHOT_TASKS, cursor: null }),
      ]);
      const tasks = page.tasks.map((task) => toTask(task, { inList: true }));
      return { stats, queues, workers, tasks, operations: active, system };
    },
    clock,
    log,
    version: VERSION,
  });
}
