/**
 * `npm start`: the desktop app where there is a display and an Electron to show it with, else the same program
 * headless, with the dashboard in the browser. Arguments are passed on: `npm start -- --port 9000`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { findElectron } from './electron-runtime.mjs';
import { ROOT, runForeground } from './run.mjs';

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

/** The test runtime only where it is asked for: it is an old Electron, and none to work with. */
async function electronBinary() {
  const runtime = await findElectron({ testRuntime: process.env.MILLRACE_TEST_RUNTIME === '1' });
  if (runtime === undefined) {
    console.error('Electron cannot be fetched here: running headless, with the dashboard in the browser.');
    return undefined;
  }
  if (runtime.source === 'the test runtime') console.error(`Electron ${runtime.version}, the test runtime.`);
  return runtime.program;
}
