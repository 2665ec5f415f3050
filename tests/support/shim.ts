/** Small libraries in C that stand between a process and its kernel (LD_PRELOAD), built when a test first asks for one. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @returns the path of the built library; built once for each content */
export function buildShim(name: 'clock' | 'fsync'): string {
  const source = join(import.meta.dirname, 'shims', `${name}.c`);
  const hash = createHash('sha1').update(readFileSync(source)).digest('hex').slice(0, 12);
  const folder = join(tmpdir(), 'millrace-shims');
  const library = join(folder, `${name}-${hash}.so`);
  if (existsSync(library)) return library;
  mkdirSync(folder, { recursive: true });
  const unfinished = `${library}.${process.pid}`;
  execFileSync('cc', ['-shared', '-fPIC', '-O2', '-Wall', '-o', unfinished, source, '-ldl']);
  renameSync(unfinished, library); // others may be building it at the same time
  return library;
}
