/** The command line that starts a worker on another machine; carries no password, the console is told none. Pure. */
import type { ConnectionProfile } from '#queue/contract/session';

export function connectCommand(profile: ConnectionProfile, queues = '*'): string {
  const tls = profile.tls ? ['--redis-tls'] : [];
  const where = {
    standalone: ['--redis', `${profile.tls ? 'rediss' : 'redis'}://${profile.redis}/${profile.database}`],
    sentinel: ['--redis-sentinels', profile.redis, '--redis-sentinel-master', 'NAME', ...tls],
    cluster: ['--redis-cluster', profile.redis, ...tls],
  }[profile.topology];
  const prefix = profile.prefix === 'mr' ? [] : ['--prefix', profile.prefix];
  return ['millrace', '--worker', ...where, ...prefix, '--queues', queues].map(quoted).join(' ');
}

/** As a shell reads it as one word. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
