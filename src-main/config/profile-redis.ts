/**
 * A connection profile as Redis' options (to try it) and as options of the configuration (to run a server on it), and an
 * address of Redis as a profile: one grammar, all ways.
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  DEFAULT_PREFIX,
  DEFAULT_REDIS_PORT,
  DEFAULT_SENTINEL_PORT,
  RedisOptions,
  type RedisTls,
} from '#queue/redis/options';
import { parseRedisUrl, RedisUrlError } from '#queue/redis/url';
import { type ProfileFields, safetyOf } from '../bridge/profiles-contract';

/** Its message is a sentence for people, and says which file or field it is about. */
export class ProfileFault extends Error {
  override readonly name = 'ProfileFault';
}

/** Where a profile leads, for those who may not know the queue. It holds the password. */
export type ProfileRedis = RedisOptions;

export interface ProfileSecrets {
  password: string | null;
  sentinelPassword: string | null;
}

/** Everything but `local`, whose Redis says itself where it is. Reads the TLS files. @throws {ProfileFault} */
export async function redisOfProfile(fields: ProfileFields, secrets: ProfileSecrets): Promise<ProfileRedis> {
  const { kind, host, port, nodes } = fields;
  const single = kind === 'standalone' ? [{ host: host.replace(/^\[|\]$/g, ''), port }] : [];
  const checked = RedisOptions.safeParse({
    kind: kind === 'sentinel' || kind === 'cluster' ? kind : 'single',
    nodes: kind === 'sentinel' || kind === 'cluster' ? nodes : single,
    ...(kind === 'socket' ? { path: fields.socketPath } : {}),
    ...(kind === 'sentinel' ? sentinelPart(fields, secrets) : {}),
    db: kind === 'cluster' ? 0 : fields.db,
    username: fields.username === '' ? null : fields.username,
    password: fields.usesPassword ? secrets.password : null,
    tls: fields.tls.on && kind !== 'socket' ? await readTls(fields.tls) : null,
    prefix: fields.prefix,
  });
  if (checked.success) return checked.data;
  throw new ProfileFault(checked.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
}

/**
 * The same as options of the configuration, by their names there, with the paths of the TLS files as they are. An
 * unlabelled remote gets no environment, so that consoles say so, but the safe mode of production.
 */
export function connectionOfProfile(fields: ProfileFields, secrets: ProfileSecrets): Record<string, unknown> {
  const { kind, name, environment, tls, username } = fields;
  const local = { profile_name: name, safe_mode: safetyOf(fields).replace('_', '-'), prefix: fields.prefix };
  const common = { ...local, ...(environment === null ? {} : { environment }) };
  if (kind === 'local') return common;
  return {
    ...common,
    ...placeOf(fields, secrets),
    ...(kind === 'cluster' ? {} : { redis_db: fields.db }),
    ...(username === '' ? {} : { redis_username: username }),
    ...(fields.usesPassword && secrets.password !== null ? { redis_password: secrets.password } : {}),
    ...(tls.on && kind !== 'socket' ? tlsOptions(tls) : {}),
  };
}

function placeOf(fields: ProfileFields, { sentinelPassword }: ProfileSecrets): Record<string, unknown> {
  const nodes = fields.nodes.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`);
  const { kind, sentinelUsername } = fields;
  if (kind === 'socket') return { redis_url: `unix:${encodeURI(fields.socketPath).replaceAll('?', '%3F')}` };
  if (kind === 'cluster') return { redis_cluster: nodes };
  if (kind !== 'sentinel') return { redis_host: fields.host, redis_port: fields.port };
  return {
    redis_sentinels: nodes,
    redis_sentinel_master: fields.master,
    ...(sentinelUsername === '' ? {} : { redis_sentinel_username: sentinelUsername }),
    ...(fields.usesSentinelPassword && sentinelPassword !== null ? { redis_sentinel_password: sentinelPassword } : {}),
  };
}

const tlsOptions = (tls: ProfileFields['tls']): Record<string, unknown> => ({
  redis_tls: true,
  redis_tls_verify: tls.rejectUnauthorized,
  ...(tls.caFile === '' ? {} : { redis_tls_ca: tls.caFile }),
  ...(tls.certFile === '' ? {} : { redis_tls_cert: tls.certFile, redis_tls_key: tls.keyFile }),
  ...(tls.servername === '' ? {} : { redis_tls_servername: tls.servername }),
});

function sentinelPart(fields: ProfileFields, secrets: ProfileSecrets): object {
  const { master, sentinelUsername, usesSentinelPassword } = fields;
  const { sentinelPassword } = secrets;
  return {
    master,
    ...(sentinelUsername === '' ? {} : { sentinelUsername }),
    ...(usesSentinelPassword && sentinelPassword !== null ? { sentinelPassword } : {}),
  };
}

async function readTls(tls: ProfileFields['tls']): Promise<RedisTls> {
  const [ca, cert, key] = await Promise.all([
    readPem('CA file', tls.caFile),
    readPem('certificate', tls.certFile),
    readPem('key', tls.keyFile),
  ]);
  return {
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
    ...(tls.servername === '' ? {} : { servername: tls.servername }),
    ...(tls.rejectUnauthorized ? {} : { rejectUnauthorized: false }),
  };
}

async function readPem(what: string, path: string): Promise<string | null> {
  if (path === '') return null;
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new ProfileFault(`The ${what} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (!text.includes('-----BEGIN ')) throw new ProfileFault(`The ${what} ${path} is not in PEM format.`);
  return text;
}

/** @throws {ProfileFault} whose message never repeats the address */
export function profileOfUrl(url: string): { fields: ProfileFields; password: string | null } {
  try {
    const { kind, nodes, path, master, db, username, password, tls } = parseRedisUrl(url);
    const [first] = nodes;
    const defaultPort = kind === 'sentinel' ? DEFAULT_SENTINEL_PORT : DEFAULT_REDIS_PORT;
    const single = path === null ? 'standalone' : 'socket';
    const fields: ProfileFields = {
      name: nameOf(master, first?.host ?? path ?? ''),
      environment: null,
      safety: null,
      kind: kind === 'single' ? single : kind,
      host: kind === 'single' ? (first?.host ?? '') : '',
      port: kind === 'single' ? (first?.port ?? defaultPort) : DEFAULT_REDIS_PORT,
      db: db ?? 0,
      socketPath: path ?? '',
      nodes: kind === 'single' ? [] : nodes,
      master: master ?? '',
      username: username ?? '',
      usesPassword: password !== null,
      sentinelUsername: '',
      usesSentinelPassword: false,
      allowPlainPassword: false,
      tls: { on: tls, caFile: '', certFile: '', keyFile: '', servername: '', rejectUnauthorized: true },
      prefix: DEFAULT_PREFIX,
    };
    return { fields, password };
  } catch (error) {
    if (error instanceof RedisUrlError) throw new ProfileFault(`The address ${error.message}.`);
    throw error;
  }
}

/** The master set; else the first label of a host, the whole of an IP address, the name of a socket file. */
function nameOf(master: string | null, place: string): string {
  const isAddress = /^[\d.]+$|:/.test(place);
  const label = place.startsWith('/') ? basename(place, '.sock') : place.split('.')[0];
  return (master ?? (isAddress ? place : label) ?? place).slice(0, 60);
}
