/** docs/failure-modes.md promises that a test shows each of its rows. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const page = readFileSync('docs/failure-modes.md', 'utf8');
const FAULTS = 62;

it('names only tests that there are', () => {
  const named = [...page.matchAll(/`(tests\/[\w/-]+\.test\.ts)`/g)].map(([, path = '']) => path);
  expect(named.length).toBeGreaterThan(FAULTS);
  expect(named.filter((path) => !existsSync(path))).toEqual([]);
});

it('has each fault of the catalogue, with what tries it or why nothing does', () => {
  const rows = [...page.matchAll(/^\| (\d+) \| [^|]+ \| ([^|]+) \|$/gm)];
  expect(rows.map(([, number]) => Number(number))).toEqual(Array.from({ length: FAULTS }, (_, n) => n + 1));
  for (const [, , triedBy] of rows) expect(triedBy).toMatch(/\.test\.ts`|^not run: \w/);
});
