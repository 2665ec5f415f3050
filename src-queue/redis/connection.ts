/**
 * The one factory of connections. Its settings are the ones that neither run a command twice (as a client's own
 * repetition does when a reply is lost) nor hang: no automatic repetition (`maxRetriesPerRequest: 0`), no offline
 * queue, a socket that is silent for 1.5 s with a command outstanding is dead, reconnects for ever with full jitter.
 * Repetition is ours: calls are safe to repeat, and `untilKnown` (repetition.ts) repeats them with the same arguments.
 */
import { Cluster, type ClusterOptions, type RedisOptions as IoRedisOptions, Redis } from 'ioredis';
import { random } from '../kernel/ids';
import type { Log } from '../kernel/log';
import { describeRedis, type RedisOptions } from './options';

export type Connection = Redis | Cluster;

/** Blocking connections wait for data on purpose, so theirs is the watchdog of the caller. */
export type ConnectionRole = 'command' | 'blocking';

const SOCKET_TIMEOUT_MS = 1500;
const CONNECT_TIMEOUT_MS = 3000;
const RECONNECT_MIN_MS = 50;
/** Workers claim again within 2 s of the return of Redis: half of that may pass before it is tried. */
const RECONNECT_MAX_MS = 1000;

type CommonSettings = Omit<IoRedisOptions, 'replyMapping'>;

/** Full jitter between 50 ms and a ceiling that doubles to 1 s. */
function reconnectDelayMs(times: number): number {
  const ceiling = Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** Math.min(times, 10));
  return RECONNECT_MIN_MS + Math.floor(random() * (ceiling - RECONNECT_MIN_MS));
}

const closed = new WeakSet<Connection>();

/** For good, and at once: commands that are under way reject. */
export function closeConnection(connection: Connection): void {
  closed.add(connection);
  connection.disconnect();
}

/** Opens a connection; it connects in the background and again whenever it is lost, until `closeConnection`. */
export function openConnection(options: RedisOptions, role: ConnectionRole, name: string, log: Log): Connection {
  const tls = options.tls
    ? {
        tls: Object.fromEntries(Object.entries(options.tls).filter(([, value]) => value !== undefined)),
      }
    : {};
  const common = {
    ...(options.username === null ? {} : { username: options.username }),
    ...(options.password === null ? {} : { password: options.password }),
    ...tls,
    connectionName: `millrace-${name}`,
    protocol: 2 as const,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    enableAutoPipelining: false,
    autoResendUnfulfilledCommands: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepAlive: 5000,
    retryStrategy: reconnectDelayMs,
    reconnectOnError: (error: Error): 1 | false => (/^(READONLY|LOADING)/.test(error.message) ? 1 : false),
    ...(role === 'command' ? { socketTimeout: SOCKET_TIMEOUT_MS } : {}),
  } satisfies IoRedisOptions;
  const connection = open(options, common);
  let up = true;
  connection.on('error', (error: Error) => {
    if (up) log.warn('Redis connection lost', { redis: describeRedis(options), role, reason: error.message });
    up = false;
  });
  connection.on('ready', () => {
    if (!up) log.info('Redis connection is back', { redis: describeRedis(options), role });
    up = true;
  });
  connection.on('end', () => {
    // The client gives up for ever where word of a failover reaches it while it connects (ioredis' SentinelConnector).
    if (closed.has(connection)) return;
    const again = () => void (closed.has(connection) || connection.connect().catch(() => undefined));
    setTimeout(again, RECONNECT_MIN_MS);
  });
  return connection;
}

function open(options: RedisOptions, common: CommonSettings): Connection {
  if (options.kind === 'cluster') {
    const cluster = {
      redisOptions: common,
      enableOfflineQueue: false,
      scaleReads: 'master' as const,
      clusterRetryStrategy: reconnectDelayMs,
      retryDelayOnTryAgain: 100,
      slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
    } satisfies ClusterOptions;
    return new Cluster(options.nodes, cluster);
  }
  if (options.kind === 'sentinel') {
    return new Redis({
      ...common,
      sentinels: options.nodes,
      name: options.master ?? 'mymaster',
      ...(options.sentinelUsername === undefined ? {} : { sentinelUsername: options.sentinelUsername }),
      ...(options.sentinelPassword === undefined ? {} : { sentinelPassword: options.sentinelPassword }),
      role: 'master',
      db: options.db,
      failoverDetector: true,
      sentinelRetryStrategy: reconnectDelayMs,
      ...(options.tls ? { enableTLSForSentinelMode: true } : {}),
    });
  }
  if (options.path !== undefined) return new Redis({ ...common, path: options.path, db: options.db });
  const [node] = options.nodes;
  if (!node) throw new Error('no Redis address');
  return new Redis({ ...common, host: node.host, port: node.port, db: options.db });
}

/** Resolves true when the connection can take commands, false after `ms`. */
export function whenReady(connection: Connection, ms: number): Promise<boolean> {
  if (connection.status === 'ready') return Promise.resolve(true);
  return new Promise((resolve) => {
    const done = (ready: boolean) => {
      clearTimeout(timer);
      connection.off('ready', onReady);
      resolve(ready);
    };
    const onReady = () => done(true);
    const timer = setTimeout(() => done(false), ms);
    connection.once('ready', onReady);
  });
}
