/**
 * Packages of the desktop app, with what this machine can reach:
 *
 *     node scripts/package.mjs dir              dist/linux-unpacked
 *     node scripts/package.mjs tar.gz deb       what electron-builder calls them
 *     node scripts/package.mjs --out DIR dir    into another folder
 *
 * With the official Electron these are packages to hand out. Where that cannot be had they are made of the test runtime
 * (scripts/electron-runtime.mjs), for tests, and are never handed out: this says so. A release flips one more fuse, without
 * which Playwright could not look inside: `npx electron-builder -c.electronFuses.enableNodeCliInspectArguments=false`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { distWithoutDefaultApp, findElectron } from './electron-runtime.mjs';
import { packageScript, ROOT, run, which } from './run.mjs';

const args = process.argv.slice(2);
const outAt = args.indexOf('--out');
const out = outAt === -1 ? undefined : args.splice(outAt, 2)[1];
const targets = args.length > 0 ? args : ['dir'];
const PLATFORMS = { linux: '--linux', darwin: '--mac', win32: '--win' };

process.exitCode = (await buildPackages()) ? 0 : 1;

async function buildPackages() {
  if (!bootstrap({})) return false;
  const staged = join(ROOT, 'resources', 'redis', `${process.platform}-${process.arch}`);
  if (!existsSync(staged) && !run(process.execPath, [join(ROOT, 'scripts', 'stage-redis.mjs')])) return false;
  const runtime = await findElectron({ testRuntime: true });
  if (!runtime) return false;
  const official = runtime.source !== 'the test runtime';
  if (!official)
    console.error(`Made of the test runtime, Electron ${runtime.version}: for tests, not to be handed out.`);
  const options = [
    ...(out === undefined ? [] : [`-c.directories.output=${out}`]),
    ...(official ? [] : [`-c.electronDist=${distWithoutDefaultApp(runtime)}`, `-c.electronVersion=${runtime.version}`]),
  ];
  return run(
    process.execPath,
    [packageScript('electron-builder/cli.js'), PLATFORMS[process.platform] ?? '--linux', ...targets, ...options],
    { env: { ...process.env, ...offlineTools(), CSC_IDENTITY_AUTO_DISCOVERY: official ? 'true' : 'false' } },
  );
}

/** Programs that electron-builder would download, where the system has its own. */
function offlineTools() {
  const zip = which('7za');
  return zip && !process.env.ELECTRON_BUILDER_7ZIP_PATH ? { ELECTRON_BUILDER_7ZIP_PATH: zip } : {};
}
