/**
 * The addresses of Redis as people write them:
 *
 *     redis://[user[:password]@]host[:port][/db]            rediss:// with TLS
 *     redis-sentinel://[user:password@]host:port,host:port/master[?db=N]      rediss-sentinel://
 *     redis-cluster://[user:password@]host:port,host:port                     rediss-cluster://
 *     unix:[//[user:password@]]/path/of/redis.sock[?db=N]
 *
 * `URL` is no help here: it refuses a list of hosts. Names and passwords may be percent-encoded.
 */
import { DEFAULT_REDIS_PORT, DEFAULT_SENTINEL_PORT, type RedisNode, type RedisOptions } from './options';

/** What an address says; what it leaves open is null. */
export interface RedisAddress {
  kind: RedisOptions['kind'];
  nodes: RedisNode[];
  /** Of a Unix socket; then there are no nodes. */
  path: string | null;
  master: string | null;
  db: number | null;
  username: string | null;
  password: string | null;
  tls: boolean;
}

/** Its message never repeats the address, which may hold a password. */
export class RedisUrlError extends Error {
  override readonly name = 'RedisUrlError';
}

const SCHEME = /^(rediss?)(?:-(sentinel|cluster))?:\/\//i;
const SOCKET = /^unix:(?:\/\/(?:([^/?#]*)@)?)?(\/[^?]*)(?:\?(.*))?$/i;

/** @throws {RedisUrlError} */
export function parseRedisUrl(url: string): RedisAddress {
  if (/^unix:/i.test(url.trim())) return parseSocket(url.trim());
  const match = SCHEME.exec(url.trim());
  if (!match) {
    throw new RedisUrlError('must begin with redis://, rediss://, redis-sentinel://, redis-cluster:// or unix:');
  }
  const kind = kindOf(match[2]);
  const [beforeQuery = '', queryText = ''] = splitAt(url.trim().slice(match[0].length), '?');
  const at = beforeQuery.lastIndexOf('@');
  const [hosts, path] = splitAt(beforeQuery.slice(at + 1), '/');
  const [username, password] = at === -1 ? [null, null] : parseUser(beforeQuery.slice(0, at));
  const queryDb = dbOfQuery(queryText);
  const nodes = parseNodes(hosts, kind === 'sentinel' ? DEFAULT_SENTINEL_PORT : DEFAULT_REDIS_PORT);
  if (kind === 'single' && nodes.length > 1) {
    throw new RedisUrlError('names several hosts: use redis-sentinel:// or redis-cluster:// for that');
  }
  const segment = decode(path.replace(/\/$/, ''));
  if (kind === 'cluster' && segment !== '' && segment !== '0')
    throw new RedisUrlError('has a database, but a cluster has only 0');
  return {
    kind,
    nodes,
    path: null,
    master: kind === 'sentinel' && segment !== '' ? segment : null,
    db: parseDb(queryDb ?? (kind === 'single' ? segment : '')),
    username,
    password,
    tls: match[1]?.toLowerCase() === 'rediss',
  };
}

function parseSocket(url: string): RedisAddress {
  const match = SOCKET.exec(url);
  if (!match) throw new RedisUrlError('names no socket file: write unix:/path/of/redis.sock');
  const [username, password] = match[1] === undefined ? [null, null] : parseUser(match[1]);
  const db = parseDb(dbOfQuery(match[3] ?? '') ?? '');
  return { kind: 'single', nodes: [], path: decode(match[2] ?? ''), master: null, db, username, password, tls: false };
}

function dbOfQuery(text: string): string | null {
  const query = new URLSearchParams(text);
  for (const key of query.keys()) {
    if (key !== 'db') throw new RedisUrlError(`has an unknown parameter "${key}": only db is known`);
  }
  return query.get('db');
}

/** `host`, `host:port`, `[::1]:port`, several parted by commas. @throws {RedisUrlError} */
export function parseNodes(text: string, defaultPort: number): RedisNode[] {
  const nodes = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => parseNode(part, defaultPort));
  if (nodes.length === 0) throw new RedisUrlError('names no host');
  return nodes;
}

function parseNode(text: string, defaultPort: number): RedisNode {
  const match = /^(\[[0-9A-Fa-f:.%]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1]?.replace(/^\[|\]$/g, '');
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  if (host === undefined) throw new RedisUrlError(`has a host that cannot be read: "${text}"`);
  if (port < 1 || port > 65_535) throw new RedisUrlError(`has a port outside 1 to 65535: ${port}`);
  return { host: decode(host), port };
}

function parseUser(text: string): [string | null, string | null] {
  const colon = text.indexOf(':');
  const name = decode(colon === -1 ? text : text.slice(0, colon));
  return [name === '' ? null : name, colon === -1 ? null : decode(text.slice(colon + 1))];
}

function parseDb(text: string): number | null {
  if (text === '') return null;
  if (!/^\d{1,5}$/.test(text)) throw new RedisUrlError(`has a database that is not a number: "${text}"`);
  return Number(text);
}

const kindOf = (text: string | undefined): RedisOptions['kind'] => {
  const name = text?.toLowerCase();
  return name === 'sentinel' || name === 'cluster' ? name : 'single';
};

function splitAt(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator);
  return index === -1 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new RedisUrlError('has a percent sign that begins no percent-encoding (write %25 for a percent sign)', {
      cause: error,
    });
  }
}

/** The same address with its password as `***`; also where it cannot be parsed. */
export const redactUrl = (url: string): string => url.replace(/(:\/\/[^/?#]*?):[^/?#]*@/, '$1:***@');
