/** The configuration of a server of our own, as text. */

export interface ConfInput {
  port: number;
  password: string;
  dir: string;
  log: string;
}

/**
 * A queue wants: loopback only, a password, every write in the AOF (synced each second), and never an eviction.
 * No RDB snapshots: the AOF has it all. A tail cut off by a crash is loaded up to the cut.
 * The title names this file, so that a process can be told to be the server of this directory.
 */
export const redisConf = ({
  port,
  password,
  dir,
  log,
}: ConfInput): string => `# Written by Millrace at every start; changes are lost.
bind 127.0.0.1
port ${port}
protected-mode yes
requirepass ${password}
dir ${quoted(dir)}
logfile ${quoted(log)}
loglevel notice
proc-title-template "{title} {config-file}"
daemonize no
save ""
appendonly yes
appendfsync everysec
aof-load-truncated yes
aof-use-rdb-preamble yes
maxmemory-policy noeviction
tcp-keepalive 60
`;

/** Redis reads escapes within double quotes; paths of Windows work with slashes. */
const quoted = (path: string): string =>
  `"${path.replaceAll('\\', process.platform === 'win32' ? '/' : '\\\\').replaceAll('"', '\\"')}"`;

/** The port in such a text; null in any other. */
export function portInConf(text: string): number | null {
  const port = Number(/^port (\d+)$/m.exec(text)?.[1]);
  return Number.isInteger(port) && port > 0 ? port : null;
}
