/** One JSON line a run, printed and kept. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type FaultName, planned } from './timetable';

const FOLDER = join(import.meta.dirname, '../../test-results');

export const MINUTES = Number(process.env.SOAK_MINUTES ?? 2);
export const SEED = Number(process.env.SOAK_SEED ?? Date.now() % 2 ** 31);

export function report(result: object): void {
  const line = JSON.stringify(result);
  mkdirSync(FOLDER, { recursive: true });
  appendFileSync(join(FOLDER, 'soak.jsonl'), `${line}\n`);
  process.stdout.write(`soak: ${line}\n`);
}

/** How many of each were planned, and how many were done. */
export function faultCounts(done: Partial<Record<FaultName, number>>, without: readonly FaultName[] = []) {
  const all = Object.entries(planned(MINUTES)).filter(([name]) => !without.some((other) => other === name));
  return Object.fromEntries(
    all.map(([name, count]) => [
      name,
      { planned: count, done: Object.entries(done).find(([key]) => key === name)?.[1] ?? 0 },
    ]),
  );
}

export const seconds = (ms: number): number => Math.round(ms / 100) / 10;
