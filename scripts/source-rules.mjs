/**
 * Rules on source files that the linter does not know: no file above 400 lines, and no relative import out of its
 * root (across roots, imports go by `#queue/…`, `#worker/…`, `#main/…`, where Biome checks who may import whom).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

const ROOTS = ['src-queue', 'src-worker', 'src-main', 'src-renderer'];
const OTHERS = ['tests', 'bench', 'scripts', 'examples'];
const MAX_LINES = 400;
const IMPORT = /(?:from|import)\s*\(?\s*'(\.[^']*)'/g;

/** @returns a line for every fault */
export function sourceFaults(root) {
  return [...ROOTS, ...OTHERS].flatMap((folder) =>
    sourceFiles(join(root, folder)).flatMap((path) => faultsOf(root, folder, path)),
  );
}

function faultsOf(root, folder, path) {
  const name = relative(root, path);
  const text = readFileSync(path, 'utf8');
  const faults = [];
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  if (lines > MAX_LINES) faults.push(`${name}: ${lines} lines, ${MAX_LINES} at most: split it by duty`);
  if (!ROOTS.includes(folder)) return faults;
  for (const [, source] of text.matchAll(IMPORT)) {
    const target = relative(join(root, folder), resolve(dirname(path), source));
    if (target.startsWith('..') && target !== join('..', 'package.json')) {
      faults.push(`${name}: imports ${source}, outside of ${folder}: use its # name`);
    }
  }
  return faults;
}

function sourceFiles(folder) {
  let entries;
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.isFile() && /\.(ts|mjs|js|svelte|lua|css)$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => !path.includes(`${sep}node_modules${sep}`));
}
