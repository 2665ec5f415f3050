/**
 * Brings what a machine with only Node and npm lacks: the npm packages, programs of the system, and the build in out/.
 * Does nothing where all of it is there. Plain Node, no dependencies. `node scripts/bootstrap.mjs` brings all that
 * `npm start` needs.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { oneAtATime } from './one-at-a-time.mjs';
import { packageScript, ROOT, run } from './run.mjs';
import { bringSystemNeeds } from './system-needs.mjs';

const STAMP = join(ROOT, 'out', '.sources');
const SOURCE_FOLDERS = ['src-queue', 'src-worker', 'src-main', 'src-renderer'];
const SOURCE_FILES = [
  'electron.vite.config.ts',
  'scripts/externals.mjs',
  'package.json',
  'package-lock.json',
  'tsconfig.base.json',
];

/**
 * @param {{ needs?: string[], build?: boolean }} options `needs`: names in system-needs.mjs
 * @returns {boolean} false when something could not be brought; what it was is on standard error
 */
export function bootstrap({ needs = [], build = true } = {}) {
  return oneAtATime('bootstrap', () => {
    if (!packagesMatch() && !installPackages()) return false;
    const system = bringSystemNeeds(needs);
    return (!build || isBuilt() || buildAll()) && system;
  });
}

/** Whether node_modules holds what package-lock.json names. */
function packagesMatch() {
  const installed = readJson(join(ROOT, 'node_modules', '.package-lock.json'));
  const wanted = readJson(join(ROOT, 'package-lock.json'));
  if (!installed || !wanted) return false;
  return Object.entries(wanted.packages).every(([path, { version, optional, devOptional, link }]) => {
    const present = installed.packages[path];
    if (path === '' || link) return true;
    return present ? present.version === version : Boolean(optional || devOptional);
  });
}

function installPackages() {
  console.error('Installing npm packages …');
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? process.env.npm_execpath : undefined;
  const args = ['ci', '--no-fund', '--no-audit', '--loglevel=error'];
  const done = npm ? run(process.execPath, [npm, ...args]) : run('npm', args, { shell: process.platform === 'win32' });
  if (!done) console.error('npm ci failed: see above. Is the npm registry reachable?');
  return done;
}

const isBuilt = () => existsSync(STAMP) && readFileSync(STAMP, 'utf8') === sourceHash();

/** The build, whatever is there. Stamped, so that the next start knows. @param logLevel Vite's */
export function buildAll(logLevel = 'warn') {
  console.error('Building …');
  const hash = sourceHash();
  const env = { ...process.env, VITE_CONFIG_NATIVE_IGNORE_WARNING: 'true' };
  const done = run(
    process.execPath,
    [packageScript('electron-vite/bin/electron-vite.js'), 'build', '--logLevel', logLevel],
    { env },
  );
  if (!done) {
    console.error('The build failed: see above.');
    return false;
  }
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, hash);
  return true;
}

function sourceHash() {
  const hash = createHash('sha256');
  for (const path of [...SOURCE_FOLDERS.flatMap(filesBelow), ...SOURCE_FILES].sort()) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(ROOT, path)))
      .update('\0');
  }
  return hash.digest('hex');
}

function filesBelow(folder) {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined; // not there, or cut off: install again
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = bootstrap({ needs: ['redis'] }) ? 0 : 1;
