/**
 * Programs of the system that Millrace or its tests need, and how they come onto Debian and Ubuntu. Installing is
 * done only as root there; anywhere else one line says what to install.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { run, which } from './run.mjs';

const NEEDS = {
  redis: {
    what: 'redis-server 7.0 or newer (or valkey-server)',
    present: () => usableRedis() !== undefined,
    packages: ['redis-server'],
  },
  python3: { what: 'python3', present: () => which('python3') !== undefined, packages: ['python3-minimal'] },
  openssl: { what: 'openssl', present: () => which('openssl') !== undefined, packages: ['openssl'] },
  curl: { what: 'curl', present: () => which('curl') !== undefined, packages: ['curl'] },
  cc: { what: 'a C compiler', present: () => which('cc') !== undefined, packages: ['gcc', 'libc6-dev'] },
  chromium: {
    what: 'Chromium',
    present: () => findChromium() !== undefined,
    packages: ['chromium'],
  },
  // What Electron links to, and a display for it.
  electron: {
    what: 'Xvfb and the libraries that Electron needs',
    present: () =>
      which('Xvfb') !== undefined && ['libgtk-3.so.0', 'libnss3.so', 'libgbm.so.1', 'libasound.so.2'].every(hasLibrary),
    // The older name is of no one package since Debian 13 and Ubuntu 24.04, and apt then takes none.
    packages: ['xvfb', 'libnss3', 'libgtk-3-0', 'libgbm1', 'libasound2t64 | libasound2', 'libxss1', 'libxtst6'],
  },
};

const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Brings what is missing. Says on standard error what it does.
 * @param {(keyof typeof NEEDS)[]} names
 * @returns {boolean} whether all of it is there now
 */
export function bringSystemNeeds(names) {
  const missing = names.filter((name) => !NEEDS[name].present());
  if (missing.length === 0) return true;
  if (mayInstall()) install(missing.flatMap((name) => NEEDS[name].packages));
  const absent = missing.filter((name) => !NEEDS[name].present());
  for (const name of absent) {
    const { what, packages } = NEEDS[name];
    console.error(`Missing: ${what}. ${hint(name, packages)}`);
  }
  return absent.length === 0;
}

const mayInstall = () =>
  process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/etc/debian_version') && which('apt-get');

function install(packages) {
  console.error(`Installing ${packages.join(' ')} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  // Debian starts a redis-server on port 6379 when it installs one; nobody asked for that.
  const ownPolicy = !existsSync(POLICY);
  if (ownPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const quiet = { env, stdio: ['ignore', 'ignore', 'inherit'] };
  try {
    run('apt-get', ['update', '-qq'], quiet);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages.map(known)], quiet);
  } finally {
    if (ownPolicy) rmSync(POLICY, { force: true });
  }
}

/** Of `newer | older` the name that this release has. */
function known(names) {
  const [newer, older] = names.split(' | ');
  if (older === undefined) return newer;
  const shown = spawnSync('apt-cache', ['show', newer], { stdio: 'ignore' });
  return shown.status === 0 ? newer : older;
}

/** The browser that tests and pictures run in: `CHROMIUM_PATH`, or the system's. Playwright's own is not to be had everywhere. */
export const findChromium = () =>
  process.env.CHROMIUM_PATH ??
  ['chromium', 'chromium-browser', 'google-chrome'].map(which).find((path) => path !== undefined);

function usableRedis() {
  return ['redis-server', 'valkey-server'].map(which).find((path) => path !== undefined && isNewEnough(path));
}

function isNewEnough(path) {
  try {
    const text = execFileSync(path, ['--version'], { encoding: 'utf8', timeout: 5_000 });
    return /valkey/i.test(text) || Number(/v=(\d+)\./.exec(text)?.[1]) >= 7;
  } catch {
    return false; // it does not run here
  }
}

function hasLibrary(name) {
  try {
    return execFileSync(which('ldconfig') ?? 'ldconfig', ['-p'], { encoding: 'utf8' }).includes(name);
  } catch {
    return false; // no ldconfig: not a system that we install on
  }
}

function hint(name, packages) {
  if (existsSync('/etc/debian_version')) return `Install it: sudo apt-get install ${packages.map(known).join(' ')}`;
  if (process.platform === 'darwin')
    return name === 'redis' ? 'Install it: brew install redis' : 'Install it with Homebrew.';
  if (process.platform === 'win32' && name === 'redis')
    return 'Install Memurai (https://www.memurai.com), or set REDIS_URL.';
  return "Install it with your system's package manager.";
}
