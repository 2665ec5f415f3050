/**
 * Where Redis is and how to get in: one checked value that everything which connects is handed.
 * It is plain JSON, so that a worker process can be given it whole. It holds the password: log `describeRedis`, never the value.
 */
import { z } from 'zod';
import { isLoopbackHost } from '../kernel/loopback';

export const DEFAULT_REDIS_PORT = 6379;
export const DEFAULT_SENTINEL_PORT = 26379;
export const DEFAULT_PREFIX = 'mr';

/** The part before the queue's hash tag: a brace in it would move keys to another slot. */
export const KeyPrefix = z
  .string()
  .regex(/^[A-Za-z0-9_.:-]{1,64}$/, 'must be 1 to 64 letters, digits, "_", ".", ":" or "-"');

const Node = z.object({ host: z.string().min(1), port: z.int().min(1).max(65_535) });

/** PEM texts, not paths. An empty object is TLS with the system's authorities. */
const Tls = z.object({
  ca: z.string().optional(),
  cert: z.string().optional(),
  key: z.string().optional(),
  servername: z.string().optional(),
  rejectUnauthorized: z.boolean().optional(),
});

export const RedisOptions = z
  .object({
    kind: z.enum(['single', 'sentinel', 'cluster']),
    /** `single`: exactly one, or none where there is a `path`. `sentinel`: the sentinels. `cluster`: nodes to ask for the rest. */
    nodes: z.array(Node).max(100),
    /** A Unix socket on this machine, instead of an address; with `single` only. */
    path: z.string().min(1).optional(),
    /** Name of the master set; with `sentinel` only. */
    master: z.string().min(1).optional(),
    /** How to sign in to the sentinels themselves, which have users of their own. */
    sentinelUsername: z.string().optional(),
    sentinelPassword: z.string().optional(),
    /** Database number; a cluster has only 0. */
    db: z.int().min(0).max(65_535),
    username: z.string().nullable(),
    password: z.string().nullable(),
    tls: Tls.nullable(),
    prefix: KeyPrefix,
  })
  .refine((value) => value.kind !== 'sentinel' || value.master !== undefined, {
    path: ['master'],
    message: 'Sentinel needs the name of the master set',
  })
  .refine((value) => value.kind !== 'cluster' || value.db === 0, {
    path: ['db'],
    message: 'a cluster has only database 0',
  })
  .refine((value) => value.kind === 'single' || (value.nodes.length > 0 && value.path === undefined), {
    path: ['nodes'],
    message: 'names no host',
  })
  .refine((value) => value.kind !== 'single' || value.nodes.length === (value.path === undefined ? 1 : 0), {
    path: ['nodes'],
    message: 'a single server has one address',
  });
export type RedisOptions = z.infer<typeof RedisOptions>;
export type RedisNode = z.infer<typeof Node>;
export type RedisTls = z.infer<typeof Tls>;

/** True where every address that we were given is on this machine: then its queue belongs to whoever is logged in here. */
export const isLoopback = (options: RedisOptions): boolean => options.nodes.every((node) => isLoopbackHost(node.host));

const bracketed = (host: string): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);

/** `host:port` of each, with commas; the path of a socket. */
export const redisHosts = ({ nodes, path }: RedisOptions): string =>
  path ?? nodes.map((node) => `${bracketed(node.host)}:${node.port}`).join(',');

/** For logs and for people: scheme, hosts, database; no user, no password. */
export function describeRedis(options: RedisOptions): string {
  if (options.path !== undefined) return `unix:${options.path}?db=${options.db}`;
  const scheme = `${options.tls ? 'rediss' : 'redis'}${options.kind === 'single' ? '' : `-${options.kind}`}`;
  const hosts = redisHosts(options);
  if (options.kind === 'cluster') return `${scheme}://${hosts}`;
  if (options.kind === 'sentinel') return `${scheme}://${hosts}/${options.master}?db=${options.db}`;
  return `${scheme}://${hosts}/${options.db}`;
}
