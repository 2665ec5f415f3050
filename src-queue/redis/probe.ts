/**
 * One-shot questions to a Redis server, for those who own a server or examine one: the local Redis and the doctor.
 * A probe never reconnects, never retries and never queues: it says what is true now, or why it cannot.
 * The queue itself never goes this way.
 */
import { Redis } from 'ioredis';
import { z } from 'zod';
import { createKeys, KEY_TYPES, SYSTEM } from './keys';
import { LAYOUT, type OtherLayout, otherLayout, schemasOf } from './layout-gate';
import type { RedisOptions, RedisTls } from './options';

export interface ProbeTarget {
  host: string;
  port: number;
  /** A Unix socket; host and port are not looked at then. */
  path?: string;
  username?: string | null;
  password?: string | null;
  tls?: RedisTls | null;
  db?: number;
  /** For the connection and for each command, ms; default 2000. */
  timeoutMs?: number;
  /** Breaks the connection off. */
  signal?: AbortSignal;
}

/**
 * unreachable: nobody listens, the name is unknown, TLS failed, or the connection broke; timeout: no answer in time;
 * auth: a password is needed, or user or password are wrong; loading: the server reads its data;
 * denied: the ACL forbids the command; refused: any other error reply.
 */
export type ProbeCode = 'unreachable' | 'timeout' | 'auth' | 'loading' | 'denied' | 'refused';

export class ProbeError extends Error {
  override readonly name = 'ProbeError';
  readonly code: ProbeCode;
  constructor(code: ProbeCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** An open connection. Every method throws a ProbeError. */
export interface ProbeConnection {
  /** Any command; replies as RESP2 has them. */
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
  /** The fields of INFO, or of one section of it. Answered also while the server loads its data. */
  info(section?: string): Promise<ReadonlyMap<string, string>>;
  /** Resolves for PONG; throws `loading` while the server reads its data. */
  ping(): Promise<void>;
  /** CONFIG GET of one parameter; null where the server does not know it. */
  configGet(parameter: string): Promise<string | null>;
  /** The server's clock, Unix ms. */
  timeMs(): Promise<number>;
  /** Ends the server: its AOF is flushed and synced, no RDB is written. Resolves when the connection is gone. */
  shutdown(): Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 2_000;

/** Connects, authenticates, asks and disconnects, whatever `ask` does. @throws {ProbeError} */
export async function probe<T>(target: ProbeTarget, ask: (connection: ProbeConnection) => Promise<T>): Promise<T> {
  const redis = new Redis({
    ...(target.path === undefined ? { host: target.host, port: target.port } : { path: target.path }),
    ...(target.tls ? { tls: target.tls } : {}),
    protocol: 2, // servers too old for HELLO are to be examined too
    lazyConnect: true,
    enableReadyCheck: false,
    disableClientInfo: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: target.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    commandTimeout: target.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  });
  let lastError: unknown; // ioredis tells why a connection failed by an event only
  redis.on('error', (error: unknown) => {
    lastError = error;
  });
  const breakOff = () => redis.disconnect();
  target.signal?.addEventListener('abort', breakOff, { once: true });
  try {
    target.signal?.throwIfAborted();
    await redis.connect().catch((error: unknown) => {
      throw asProbeError(lastError ?? error);
    });
    const connection = new Connection(redis);
    // By hand and not by ioredis, which goes on unauthenticated where the server wants no password.
    if (target.password != null) {
      await connection.call('AUTH', ...(target.username == null ? [] : [target.username]), target.password);
    }
    if (target.db) await connection.call('SELECT', target.db);
    return await ask(connection);
  } finally {
    target.signal?.removeEventListener('abort', breakOff);
    redis.disconnect();
  }
}

/**
 * The server to ask about a queue: the single one, the master that the sentinels name, the first node of a cluster.
 * @throws {ProbeError} where no sentinel answers or knows the master
 */
export async function probeTarget(options: RedisOptions): Promise<ProbeTarget> {
  const { username, password, tls, db } = options;
  const access = { username, password, tls, db };
  if (options.path !== undefined) return { host: 'localhost', port: 0, path: options.path, ...access };
  const sentinelAccess = {
    username: options.sentinelUsername ?? null,
    password: options.sentinelPassword ?? null,
    tls,
  };
  let lastError: unknown;
  for (const node of options.nodes) {
    if (options.kind !== 'sentinel') return { ...node, ...access };
    try {
      const reply = await probe({ ...node, ...sentinelAccess }, (sentinel) =>
        sentinel.call('SENTINEL', 'get-master-addr-by-name', options.master ?? ''),
      );
      if (Array.isArray(reply)) return { host: String(reply[0]), port: Number(reply[1]), ...access };
      lastError = new ProbeError('refused', `sentinel ${node.host}:${node.port} knows no master "${options.master}"`);
    } catch (error) {
      lastError = error;
    }
  }
  throw asProbeError(lastError);
}

/** Whether this version may touch what lies under the prefix. In a cluster, as far as this node holds it. */
export async function probeLayout(
  connection: ProbeConnection,
  prefix: string,
): Promise<{ other: OtherLayout | null; known: string; queues: number }> {
  const keys = createKeys(prefix);
  const unlessElsewhere = (error: unknown) => {
    if (error instanceof ProbeError && /MOVED|WRONGTYPE/.test(error.message)) return null; // damage has its own look
    throw error;
  };
  const queues = await connection.call('SMEMBERS', keys.system('queues')).catch(unlessElsewhere);
  const names = Array.isArray(queues) ? queues.map(String) : [];
  const schemas = await schemasOf([SYSTEM, ...names], async (name) => {
    const schema = await connection.call('HGET', keys.meta(name), 'schema').catch(unlessElsewhere);
    return schema === null ? null : String(schema);
  });
  return { other: otherLayout(schemas), known: LAYOUT, queues: names.length };
}

/** One call a queue. @returns pairs (key, type that it has) for each that is wrong, then what was put right, and when */
const LOOK_AT_KEYS = `#!lua flags=no-writes
local found = {}
for i = 1, #ARGV, 2 do
  local kind = redis.call('TYPE', string.sub(KEYS[1], 1, -5) .. ARGV[i]).ok
  if kind ~= 'none' and kind ~= ARGV[i + 1] then found[#found + 1] = ARGV[i] .. ' is a ' .. kind .. ', not a ' .. ARGV[i + 1] end
end
local sums = redis.pcall('HMGET', KEYS[1], 'repaired', 'repaired_at')
return { found, sums.err and '' or sums[1] or '', sums.err and '' or sums[2] or '' }`;
const KeysReply = z.tuple([z.array(z.string()), z.string(), z.string()]);

/** At most this many queues are looked at, the first by name. */
const MOST_QUEUES = 1000;

export interface ProbedKeys {
  queues: number;
  /** In words: each key of a queue that has another type than it should. */
  wrong: string[];
  /** What the upkeep has put right in queues. */
  repaired: { queue: string; count: number; lastAt: number }[];
}

/** @throws {ProbeError} also in a cluster, where a queue lies on another node */
export async function probeKeys(connection: ProbeConnection, prefix: string): Promise<ProbedKeys> {
  const keys = createKeys(prefix);
  const names = z.array(z.string()).parse(await connection.call('SMEMBERS', keys.system('queues')));
  const probed: ProbedKeys = { queues: names.length, wrong: [], repaired: [] };
  for (const queue of names.sort().slice(0, MOST_QUEUES)) {
    const types = Object.entries(KEY_TYPES).flat();
    const reply = await connection.call('EVAL', LOOK_AT_KEYS, 1, keys.meta(queue), ...types);
    const [found, count, at] = KeysReply.parse(reply);
    probed.wrong.push(...found.map((what) => keys.of(queue, what)));
    if (count !== '') probed.repaired.push({ queue, count: Number(count), lastAt: Number(at) });
  }
  return probed;
}

class Connection implements ProbeConnection {
  readonly #redis: Redis;
  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async call(command: string, ...args: (string | number)[]): Promise<unknown> {
    try {
      return await this.#redis.call(command, ...args);
    } catch (error) {
      throw asProbeError(error);
    }
  }

  async info(section?: string): Promise<ReadonlyMap<string, string>> {
    const text = String(await this.call('INFO', ...(section === undefined ? [] : [section])));
    const fields = new Map<string, string>();
    for (const line of text.split('\r\n')) {
      const colon = line.indexOf(':');
      if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1));
    }
    return fields;
  }

  async ping(): Promise<void> {
    await this.call('PING');
  }

  async configGet(parameter: string): Promise<string | null> {
    const reply = await this.call('CONFIG', 'GET', parameter);
    return Array.isArray(reply) && reply.length >= 2 ? String(reply[1]) : null;
  }

  async timeMs(): Promise<number> {
    const reply = await this.call('TIME');
    if (!Array.isArray(reply)) throw new ProbeError('refused', 'TIME did not answer with a time');
    return Number(reply[0]) * 1000 + Math.floor(Number(reply[1]) / 1000);
  }

  async shutdown(): Promise<void> {
    try {
      await this.call('SHUTDOWN', 'NOSAVE');
    } catch (error) {
      // The reply to a shutdown that works is a closed connection.
      if (!(error instanceof ProbeError) || error.code !== 'unreachable') throw error;
    }
  }
}

/** One place that reads the texts of Redis and the codes of Node. */
function asProbeError(error: unknown): ProbeError {
  if (error instanceof ProbeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (/^(NOAUTH|WRONGPASS|ERR invalid password|ERR Client sent AUTH|ERR AUTH )/.test(message)) {
    return new ProbeError('auth', message, error);
  }
  if (message.startsWith('LOADING')) return new ProbeError('loading', message, error);
  if (message.startsWith('NOPERM') || /ACLs rules|can't run this command/i.test(message)) {
    return new ProbeError('denied', message, error);
  }
  if (/timed out|ETIMEDOUT/i.test(message)) return new ProbeError('timeout', message, error);
  if (error instanceof Error && error.name === 'ReplyError') return new ProbeError('refused', message, error);
  return new ProbeError('unreachable', message, error);
}
