/** Makes one `RedisOptions` of the options that tell where Redis is: a URL, or host, sentinels or cluster nodes. */
import { readFileSync } from 'node:fs';
import {
  DEFAULT_REDIS_PORT,
  DEFAULT_SENTINEL_PORT,
  type RedisNode,
  RedisOptions,
  type RedisTls,
} from '#queue/redis/options';
import { parseNodes, parseRedisUrl, type RedisAddress, RedisUrlError } from '#queue/redis/url';
import { type OptionKey, optionSpec, type Settings } from './options';
import { type ConfigFault, type RawValues, SOURCES } from './sources';

/** Paths in `settings` are absolute already. @returns null options where no Redis is configured */
export function assembleRedis(
  settings: Settings,
  raw: RawValues,
): { options: RedisOptions | null; faults: ConfigFault[] } {
  const faults: ConfigFault[] = [];
  const attempt = <T>(key: OptionKey, make: () => T): T | null => {
    try {
      return make();
    } catch (error) {
      faults.push(
        `${named(key)}: ${error instanceof RedisUrlError ? error.message : `cannot be read: ${String(error)}`}`,
      );
      return null;
    }
  };
  const address = addressOf(settings, raw, attempt);
  if (address === null || faults.length > 0) return { options: null, faults };

  const tls = tlsOf(settings, address.tls, attempt);
  const checked = RedisOptions.safeParse({
    kind: address.kind,
    nodes: address.nodes,
    path: address.path ?? undefined,
    master: address.master ?? settings.redis_sentinel_master ?? undefined,
    ...(address.kind === 'sentinel'
      ? {
          sentinelUsername: settings.redis_sentinel_username ?? undefined,
          sentinelPassword: settings.redis_sentinel_password ?? undefined,
        }
      : {}),
    db: address.db ?? settings.redis_db ?? 0,
    username: address.username ?? settings.redis_username,
    password: address.password ?? settings.redis_password,
    tls,
    prefix: settings.prefix,
  });
  if (faults.length > 0) return { options: null, faults };
  if (checked.success) return { options: checked.data, faults };
  const keys: Record<string, OptionKey> = { master: 'redis_sentinel_master', db: 'redis_db' };
  for (const issue of checked.error.issues) {
    faults.push(`${named(keys[String(issue.path[0])] ?? 'redis_url')}: ${issue.message}`);
  }
  return { options: null, faults };
}

type Attempt = <T>(key: OptionKey, make: () => T) => T | null;
/** The options that say where Redis is. */
export const PLACES = ['redis_url', 'redis_host', 'redis_sentinels', 'redis_cluster'] as const;

/** Of several ways to say where Redis is, the one from the strongest source counts; in one source, the URL. */
function addressOf(settings: Settings, raw: RawValues, attempt: Attempt): RedisAddress | null {
  const rank = (key: OptionKey): number => {
    const source = raw.get(key)?.source;
    return source === undefined ? Number.POSITIVE_INFINITY : SOURCES.indexOf(source);
  };
  const [place] = PLACES.filter((key) => raw.has(key)).sort(
    (a, b) => rank(a) - rank(b) || PLACES.indexOf(a) - PLACES.indexOf(b),
  );
  const open = { path: null, master: null, db: null, username: null, password: null, tls: settings.redis_tls };
  if (place === undefined) return null;
  switch (place) {
    case 'redis_url': {
      const address = attempt('redis_url', () => parseRedisUrl(settings.redis_url ?? ''));
      return address && { ...address, tls: address.tls || settings.redis_tls };
    }
    case 'redis_host': {
      const host = settings.redis_host ?? '';
      const nodes: RedisNode[] = [
        { host: host.replace(/^\[|\]$/g, ''), port: settings.redis_port ?? DEFAULT_REDIS_PORT },
      ];
      return { ...open, kind: 'single', nodes };
    }
    case 'redis_sentinels': {
      const nodes = attempt('redis_sentinels', () =>
        parseNodes(settings.redis_sentinels.join(','), DEFAULT_SENTINEL_PORT),
      );
      return nodes && { ...open, kind: 'sentinel', nodes };
    }
    case 'redis_cluster': {
      const nodes = attempt('redis_cluster', () => parseNodes(settings.redis_cluster.join(','), DEFAULT_REDIS_PORT));
      return nodes && { ...open, kind: 'cluster', nodes };
    }
  }
}

function tlsOf(settings: Settings, wanted: boolean, attempt: Attempt): RedisTls | null {
  const { redis_tls_ca: ca, redis_tls_cert: cert, redis_tls_key: key, redis_tls_servername: servername } = settings;
  if (!wanted && ca === null && cert === null) return null;
  const read = (option: OptionKey, path: string | null) =>
    path === null ? null : attempt(option, () => readFileSync(path, 'utf8'));
  const files = { ca: read('redis_tls_ca', ca), cert: read('redis_tls_cert', cert), key: read('redis_tls_key', key) };
  return {
    ...(files.ca === null ? {} : { ca: files.ca }),
    ...(files.cert === null ? {} : { cert: files.cert }),
    ...(files.key === null ? {} : { key: files.key }),
    ...(servername === null ? {} : { servername }),
    ...(settings.redis_tls_verify ? {} : { rejectUnauthorized: false }),
  };
}

/** `--port (APP_PORT)`: how a fault names an option. */
export const named = (key: OptionKey): string => `${optionSpec(key).flag.split(' ')[0]} (${optionSpec(key).env})`;
