/**
 * Puts a redis-server where the packager takes it from, resources/redis/<platform>-<arch>/:
 *
 *     node scripts/stage-redis.mjs                 the one built before, else the one on PATH
 *     node scripts/stage-redis.mjs --from FILE     this one
 *     node scripts/stage-redis.mjs --build         built from Debian's sources (Redis 7.0, BSD, with its security fixes)
 *
 * A distribution's own binary needs a dozen shared libraries; the built one needs glibc only, so packages carry that one.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { ROOT, run, which } from './run.mjs';

const BUILD_DIR = join(ROOT, '.cache', 'redis-build');
const TARGET = join(ROOT, 'resources', 'redis', `${process.platform}-${process.arch}`);

const sourceFolder = () =>
  readdirSync(BUILD_DIR, { withFileTypes: true }).find((entry) => entry.isDirectory() && /^redis-\d/.test(entry.name))
    ?.name;

const built = () => {
  if (!existsSync(BUILD_DIR)) return undefined;
  const source = sourceFolder();
  const binary = source && join(BUILD_DIR, source, 'src', 'redis-server');
  return binary && existsSync(binary) ? { binary, licence: join(BUILD_DIR, source, 'COPYING') } : undefined;
};

/** Needs apt with source packages (deb-src), dpkg-dev, gcc and make; as root or not. */
function buildFromDebian() {
  mkdirSync(BUILD_DIR, { recursive: true });
  if (!run('apt-get', ['source', 'redis'], { cwd: BUILD_DIR })) {
    console.error(
      'Needed: deb-src lines in the apt sources, then apt-get update, and apt-get install dpkg-dev gcc make',
    );
    return undefined;
  }
  const source = sourceFolder();
  const flags = ['MALLOC=libc', 'BUILD_TLS=no', 'USE_SYSTEMD=no', 'OPTIMIZATION=-O2'];
  const cwd = join(BUILD_DIR, source);
  if (!run('make', [`-j${availableParallelism()}`, ...flags, 'redis-server'], { cwd })) return undefined;
  run('strip', [join(cwd, 'src', 'redis-server')]);
  return built();
}

function chosen() {
  const from = process.argv.indexOf('--from');
  if (from !== -1) return { binary: process.argv[from + 1] };
  if (process.argv.includes('--build')) return buildFromDebian();
  const binary = which('redis-server') ?? which('valkey-server');
  return built() ?? (binary && { binary });
}

const found = chosen();
if (!found?.binary || !existsSync(found.binary)) {
  console.error('No redis-server to stage: build one (--build), name one (--from FILE), or install one.');
  process.exit(1);
}
mkdirSync(TARGET, { recursive: true });
const extension = process.platform === 'win32' ? '.exe' : '';
const name = /valkey/.test(basename(found.binary)) ? 'valkey-server' : 'redis-server';
copyFileSync(found.binary, join(TARGET, name + extension));
if (found.licence && existsSync(found.licence)) copyFileSync(found.licence, join(TARGET, 'LICENSE.redis'));
console.log(`${found.binary} → ${TARGET}`);
