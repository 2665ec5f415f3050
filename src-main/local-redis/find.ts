/**
 * Finds the server program: the one bundled with the app, else one on PATH. Redis 7.0 or newer, or any Valkey.
 */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { LocalRedisError } from './local-redis-error';

export interface RedisProgram {
  path: string;
  kind: 'redis' | 'valkey';
  version: string;
  source: 'bundled' | 'path';
}

export interface FindOptions {
  /** The app's resources folder, where one is bundled in `redis/` or, in a checkout, `redis/<platform>-<arch>/`. */
  resourcesDir: string | null;
  /** As in PATH. */
  searchPath: string;
  platform?: NodeJS.Platform;
}

export const OLDEST_REDIS = '7.0.0';
const NAMES = ['redis-server', 'valkey-server'];
const VERSION_TIMEOUT_MS = 5_000;

/** @throws {LocalRedisError} not_found or too_old, with what to install on this platform */
export async function findRedisProgram(options: FindOptions): Promise<RedisProgram> {
  const platform = options.platform ?? process.platform;
  const rejected: string[] = [];
  let tooOld = false;
  for (const { path, source } of candidates(options, platform)) {
    if (!(await isExecutable(path))) continue;
    try {
      const { kind, version } = await askVersion(path);
      if (kind === 'valkey' || isAtLeast(version, OLDEST_REDIS)) return { path, kind, version, source };
      tooOld = true;
      rejected.push(`${path} is version ${version}`);
    } catch (error) {
      rejected.push(`${path} does not run (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`);
    }
  }
  const hint = await installHint(platform);
  const found = rejected.length > 0 ? ` ${rejected.join('; ')}.` : '';
  throw new LocalRedisError(
    tooOld ? 'too_old' : 'not_found',
    `No redis-server (7.0 or newer) or valkey-server was found.${found} Install one: ${hint}. Or name a Redis that runs: --redis redis://host:6379`,
  );
}

/** `Redis server v=7.0.15 sha=…` or `Valkey server v=8.0.1 …`. @returns null for any other text */
export function parseVersion(text: string): { kind: 'redis' | 'valkey'; version: string } | null {
  const match = /^(redis|valkey)[ -]server\b.*?\bv=(\d+\.\d+\.\d+)/i.exec(text.trim());
  if (!match?.[1] || !match[2]) return null;
  return { kind: match[1].toLowerCase() === 'valkey' ? 'valkey' : 'redis', version: match[2] };
}

/** Compares `major.minor.patch` by number; parts that are missing count as 0. */
export function isAtLeast(version: string, floor: string): boolean {
  const [a, b] = [version, floor].map((text) => text.split('.').map(Number));
  for (let part = 0; part < 3; part++) {
    const difference = (a?.[part] ?? 0) - (b?.[part] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function candidates(options: FindOptions, platform: NodeJS.Platform) {
  const files = NAMES.map((name) => (platform === 'win32' ? `${name}.exe` : name));
  const bundled =
    options.resourcesDir === null
      ? []
      : [join(options.resourcesDir, 'redis'), join(options.resourcesDir, 'redis', `${platform}-${process.arch}`)];
  const onPath = options.searchPath.split(delimiter).filter((folder) => folder !== '');
  return [
    ...bundled.flatMap((folder) => files.map((file) => ({ path: join(folder, file), source: 'bundled' as const }))),
    // By name first, so that a redis-server anywhere on PATH goes before a valkey-server.
    ...files.flatMap((file) => onPath.map((folder) => ({ path: join(folder, file), source: 'path' as const }))),
  ];
}

async function askVersion(path: string): Promise<{ kind: 'redis' | 'valkey'; version: string }> {
  const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: VERSION_TIMEOUT_MS, windowsHide: true });
  const parsed = parseVersion(stdout);
  if (!parsed) throw new Error(`it answers --version with "${stdout.trim().slice(0, 80)}"`);
  return parsed;
}

const isExecutable = (path: string) =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

async function installHint(platform: NodeJS.Platform): Promise<string> {
  if (platform === 'darwin') return 'brew install redis';
  if (platform === 'win32') return 'Memurai from https://www.memurai.com, or redis-server inside WSL';
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const family = /^ID(?:_LIKE)?=.*$/gm;
  const names = (release.match(family) ?? []).join(' ');
  if (/debian|ubuntu/.test(names)) return 'sudo apt-get install redis-server';
  if (/fedora|rhel|centos/.test(names)) return 'sudo dnf install valkey';
  if (/arch/.test(names)) return 'sudo pacman -S valkey';
  if (/alpine/.test(names)) return 'apk add redis';
  return "the package redis-server, redis or valkey of your system's package manager";
}
