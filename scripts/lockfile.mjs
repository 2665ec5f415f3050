/**
 * package-lock.json has to name the native packages of every platform, not only of the one where it was written:
 * where one is missing, `npm ci` refuses to work, or another platform goes without its binary. npm itself leaves out
 * what the registry of the day did not have (npm/cli#4828). `node scripts/lockfile.mjs --fix` adds them; they carry
 * the version that their package asks for, and no hash, as npm has not seen them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './run.mjs';

const LOCK = join(ROOT, 'package-lock.json');
const SYSTEMS = /(?:^|-)(android|darwin|linux|win32|freebsd|openharmony|wasm32)(?:-([a-z0-9]+))?/;

/** @returns {{ path: string, entry: object }[]} what the lock file names as optional and does not describe */
function missingEntries({ packages }) {
  return Object.entries(packages).flatMap(([parent, { optionalDependencies = {}, dev, license }]) =>
    Object.entries(optionalDependencies)
      .filter(
        ([name]) => parent !== '' && !packages[`node_modules/${name}`] && !packages[`${parent}/node_modules/${name}`],
      )
      .map(([name, version]) => ({
        path: `node_modules/${name}`,
        entry: {
          version: version.replace(/^[~^]/, ''),
          ...platformOf(name.split('/').at(-1)),
          ...(dev && { dev }),
          ...(license && { license }),
          optional: true,
        },
      })),
  );
}

function platformOf(name) {
  const [, system, cpu] = SYSTEMS.exec(name) ?? [];
  if (system === undefined) return {};
  if (system === 'wasm32') return { cpu: ['wasm32'] };
  const libc = system !== 'linux' ? undefined : /musl/.test(name) ? 'musl' : 'glibc';
  return { os: [system], ...(cpu && { cpu: [cpu] }), ...(libc && { libc: [libc] }) };
}

const readLock = () => JSON.parse(readFileSync(LOCK, 'utf8'));

/** @returns a line for every fault */
export const lockfileFaults = () =>
  missingEntries(readLock()).map(({ path }) => `package-lock.json lacks ${path}: node scripts/lockfile.mjs --fix`);

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes('--fix')) {
  const lock = readLock();
  const added = missingEntries(lock);
  for (const { path, entry } of added) lock.packages[path] = entry;
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
  writeFileSync(LOCK, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
  console.log(`added ${added.length}`);
}
