/** Can Redis be reached, does it let us in, and is it one that a queue can live on? */
import { connect } from 'node:net';
import { isLoopbackHost } from '#queue/kernel/loopback';
import { describeRedis, type RedisOptions } from '#queue/redis/options';
import { ProbeError, type ProbeTarget, probe } from '#queue/redis/probe';
import { isAtLeast, OLDEST_REDIS } from '../local-redis/find';
import { type Finding, fail, ok, skipped, warn } from './check';

const CONNECT_TIMEOUT_MS = 3_000;

/** A TCP connection, nothing more: tells a network that is closed from a server that refuses. */
export async function checkTcp(target: ProbeTarget): Promise<Finding> {
  const where = target.path ?? `${target.host}:${target.port}`;
  const error = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    const socket = connect(
      target.path === undefined ? { host: target.host, port: target.port } : { path: target.path },
    );
    const done = (outcome: NodeJS.ErrnoException | null) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () =>
      done(Object.assign(new Error(`no answer within ${CONNECT_TIMEOUT_MS / 1000} s`), { code: 'ETIMEDOUT' })),
    );
    socket.once('error', done);
    socket.once('connect', () => done(null));
  });
  if (error === null) return ok(`${where} accepts connections`);
  if (error.code === 'ECONNREFUSED') {
    return fail(
      `nothing listens on ${where}`,
      'Start redis-server there, or name another Redis with --redis or REDIS_URL.',
    );
  }
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') {
    return fail(
      `the name ${target.host} is not known`,
      'Check the host in REDIS_URL or REDIS_HOST, and this machine’s DNS.',
    );
  }
  return fail(
    `${where} cannot be reached: ${error.message}`,
    'Check the address, the firewall between here and there, and whether Redis is bound to that address.',
  );
}

export async function checkLogin(target: ProbeTarget): Promise<Finding> {
  const who = target.username ?? (target.password == null ? null : 'default');
  try {
    await probe(target, (connection) => connection.ping());
    return ok(who === null ? 'PING is answered; no password is needed' : `PING is answered for user ${who}`);
  } catch (error) {
    if (!(error instanceof ProbeError)) throw error;
    switch (error.code) {
      case 'auth':
        return /without any password|no password is set/i.test(error.message)
          ? fail(
              'a password was given, but this Redis has none',
              'Leave the password out, or set one on the server (requirepass).',
            )
          : fail(
              who === null ? 'a password is needed' : `user ${who} or its password is wrong`,
              'Set REDIS_PASSWORD (and REDIS_USERNAME for an ACL user), or write both into REDIS_URL.',
            );
      case 'loading':
        return warn('the server is reading its data', 'Wait until it is done; tasks are accepted then.');
      case 'denied':
        return fail(`the user may not even PING: ${error.message}`, 'ACL SETUSER <user> +@connection');
      case 'timeout':
        return fail(
          'it accepts connections and does not answer',
          'Is it really a Redis, and does it expect TLS (rediss://)?',
        );
      case 'unreachable':
        return fail(
          `the connection broke: ${error.message}`,
          target.tls
            ? 'Check that this port speaks TLS, and the certificate authority (REDIS_TLS).'
            : 'If the server expects TLS, use rediss:// in REDIS_URL.',
        );
      default:
        return fail(error.message, null);
    }
  }
}

/** Passwords must not cross a network in clear text. */
export function checkTransport(options: RedisOptions): Finding {
  const where = describeRedis(options);
  if (options.tls) {
    return options.tls.rejectUnauthorized === false
      ? warn(
          `${where} is encrypted, but its certificate is not checked`,
          'Give the authority (ca) instead of switching the check off.',
        )
      : ok(`${where} is encrypted`);
  }
  if (options.nodes.every((node) => isLoopbackHost(node.host))) return ok(`${where} stays on this machine`);
  return warn(
    `${where} is not encrypted${options.password === null ? '' : ': the password and all payloads cross the network in clear text'}`,
    'Use rediss:// and TLS on the server, or a private network that you trust.',
  );
}

/** From INFO server. */
export function checkVersion(info: ReadonlyMap<string, string>): Finding {
  const valkey = info.get('valkey_version');
  if (valkey !== undefined) return ok(`Valkey ${valkey}`);
  const version = info.get('redis_version') ?? '';
  if (version === '') return warn('the server does not tell its version', null);
  if (isAtLeast(version, OLDEST_REDIS)) return ok(`Redis ${version}`);
  return fail(`Redis ${version} is too old: 7.0 is needed`, 'Upgrade the server to Redis 7.0 or newer, or to Valkey.');
}

/** From INFO replication and cluster: the right kind of node. */
export function checkRole(info: ReadonlyMap<string, string>, kind: RedisOptions['kind']): Finding {
  const cluster = info.get('cluster_enabled') === '1';
  if (cluster && kind !== 'cluster') {
    return fail('this server is part of a cluster', 'Use redis-cluster:// in REDIS_URL, or set REDIS_CLUSTER.');
  }
  if (!cluster && kind === 'cluster') return fail('this server is no cluster', 'Use redis:// in REDIS_URL.');
  const role = info.get('role');
  if (role === undefined) return skipped('the server does not tell its role');
  if (role === 'master' || kind === 'cluster') return ok(kind === 'cluster' ? 'node of a cluster' : 'takes writes');
  return fail(
    `this server is a replica (of ${info.get('master_host') ?? 'another'}): it takes no writes`,
    'Name its master, or the sentinels (redis-sentinel://), in REDIS_URL.',
  );
}
