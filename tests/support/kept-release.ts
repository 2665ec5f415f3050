/**
 * The program of a version before, as scripts/keep-release.mjs has kept it: unpacked where it finds the packages of the
 * project, once for all tests. Its packages are those of today: what it lends from them has to work with it.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '../..');
const KEPT = join(ROOT, 'tests/fixtures/releases');
const UNPACKED = join(ROOT, '.cache/releases');

/** The version that was kept last, by its name. @returns the path of its program */
export function programBefore(): string {
  const [newest] = readdirSync(KEPT)
    .filter((file) => file.endsWith('.json.br'))
    .sort()
    .reverse();
  if (newest === undefined) throw new Error(`no version was kept in ${KEPT}: node scripts/keep-release.mjs`);
  const folder = join(UNPACKED, newest.replace(/\.json\.br$/, ''));
  if (!existsSync(folder)) unpack(join(KEPT, newest), folder);
  return join(folder, 'out/main/cli.js');
}

/** In one step, so that a test beside this one sees all of it or nothing. */
function unpack(file: string, folder: string): void {
  const files = z.record(z.string(), z.string()).parse(JSON.parse(brotliDecompressSync(readFileSync(file)).toString()));
  mkdirSync(UNPACKED, { recursive: true });
  const half = mkdtempSync(join(UNPACKED, 'half-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(half, path)), { recursive: true });
    writeFileSync(join(half, path), text);
  }
  try {
    renameSync(half, folder);
  } catch (error) {
    rmSync(half, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // else another test was quicker
  }
}
