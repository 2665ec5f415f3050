/** A connection profile as the queue's own options, and an address of Redis as a profile: both ways of one grammar. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { DEFAULT_REDIS_PORT, RedisOptions, type RedisTls } from '#queue/redis/options';
import { parseRedisUrl, RedisUrlError } from '#queue/redis/url';
import { BLANK_FIELDS, type ProfileFields } from '../bridge/profiles-contract';

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
    const single = path === null ? 'standalone' : 'socket';
    const fields: ProfileFields = {
      ...BLANK_FIELDS,
      name: nameOf(master, first?.host ?? path ?? ''),
      kind: kind === 'single' ? single : kind,
      host: kind === 'single' ? (first?.host ?? '') : '',
      port: kind === 'single' ? (first?.port ?? DEFAULT_REDIS_PORT) : DEFAULT_REDIS_PORT,
      db: db ?? 0,
      socketPath: path ?? '',
      nodes: kind === 'single' ? [] : nodes,
      master: master ?? '',
      username: username ?? '',
      usesPassword: password !== null,
      tls: { ...BLANK_FIELDS.tls, on: tls },
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
