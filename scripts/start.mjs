/**
 * `npm start`: the desktop app where there is a display and an Electron to show it with, else the same program
 * headless, with the dashboard in the browser. Arguments are passed on: `npm start -- --port 9000`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { packageScript, ROOT, run, runForeground } from './run.mjs';

const args = process.argv.slice(2);
const asksForNoWindow =
  args.some((arg) => ['--headless', '--worker', '--help', '-h', '--version'].includes(arg)) ||
  /^[a-z]/.test(args[0] ?? '');

/** A missing redis-server does not keep us: a Redis elsewhere may be configured, and the program says what is wrong. */
bootstrap({ needs: ['redis'] });
if (!existsSync(join(ROOT, 'out', 'main', 'cli.js'))) process.exit(1); // the build has said why

const electron = !asksForNoWindow && hasDisplay() ? await electronBinary() : undefined;
if (electron) {
  const { ELECTRON_RUN_AS_NODE: _, ...env } = process.env; // set in terminals inside other Electron apps
  const sandbox = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : []; // Chromium refuses root otherwise
  process.exitCode = await runForeground(electron, [...sandbox, ROOT, ...args], { env });
} else {
  const mode = asksForNoWindow ? [] : ['--headless'];
  process.exitCode = await runForeground(process.execPath, [join(ROOT, 'out', 'main', 'cli.js'), ...mode, ...args]);
}

function hasDisplay() {
  if (process.platform !== 'linux') return true;
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

/** The binary that is there, else the official download where it can be reached; undefined where there is none. */
async function electronBinary() {
  const found = installedElectron();
  if (found) return found;
  if (await downloadIsReachable()) {
    console.error('Fetching Electron, once …');
    run(process.execPath, [packageScript('electron/install.js')], { timeout: 15 * 60_000 });
    const fetched = installedElectron();
    if (fetched) return fetched;
  }
  console.error('Electron cannot be fetched here: running headless, with the dashboard in the browser.');
  return undefined;
}

function installedElectron() {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  const pathFile = packageScript('electron/path.txt');
  const name = existsSync(pathFile)
    ? readFileSync(pathFile, 'utf8')
    : process.platform === 'win32'
      ? 'electron.exe'
      : 'electron';
  return [override && join(override, name), packageScript(join('electron', 'dist', name))].find(
    (path) => path && existsSync(path),
  );
}

async function downloadIsReachable() {
  if (process.env.ELECTRON_MIRROR || process.env.npm_config_electron_mirror) return true;
  try {
    await fetch('https://github.com', { method: 'HEAD', signal: AbortSignal.timeout(5_000) });
    return true;
  } catch {
    return false; // offline, or a network that lets only some hosts through
  }
}
