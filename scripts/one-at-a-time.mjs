/**
 * Work in this checkout that two processes must not do at once: `npm start` in one terminal and `npm test` in another,
 * both on a fresh machine, would each install into node_modules and build into out/. The second one waits.
 */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './run.mjs';

const POLL_MS = 200;
/** Nobody takes that long: the process id in an older lock may be another program's by now. */
const STALE_MS = 20 * 60_000;
const FOLDER = join(ROOT, '.cache');

/** Waits for whoever is at it; one that died counts for nothing. @returns what `work` returns */
export function oneAtATime(name, work) {
  const lock = join(FOLDER, `${name}.lock`);
  mkdirSync(FOLDER, { recursive: true });
  let told = false;
  while (!take(lock)) {
    if (!told) console.error('Waiting for another process that sets up this checkout …');
    told = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS);
  }
  try {
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (isLeftOver(lock)) rmSync(lock, { force: true }); // taken on the next try
    return false;
  }
}

function isLeftOver(lock) {
  try {
    const holder = Number(readFileSync(lock, 'utf8'));
    if (Date.now() - statSync(lock).mtimeMs > STALE_MS || holder === process.pid) return true;
    return holder !== 0 && !isAlive(holder);
  } catch (error) {
    if (error.code === 'ENOENT') return false; // given back meanwhile
    throw error;
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM'; // another user's
  }
}
