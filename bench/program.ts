/** The program as it is built, run by Node; with `BENCH_PROFILES` each process leaves a CPU profile in that folder. */
import { join } from 'node:path';

const PROGRAM = join(process.cwd(), 'out/main/cli.js');

/** @returns arguments of `node` */
export function programArgs(...args: string[]): string[] {
  const dir = process.env.BENCH_PROFILES ?? '';
  return [...(dir === '' ? [] : ['--cpu-prof', '--cpu-prof-dir', dir]), PROGRAM, ...args];
}
