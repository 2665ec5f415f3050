import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SCRIPT_COMMANDS } from '#main/doctor/rights-check';

it('tries every command that a script of the queue uses', () => {
  const scripts = readdirSync('src-queue/redis/scripts', { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.lua'),
  );
  expect(scripts.length).toBeGreaterThan(10);
  const used = new Set(
    scripts.flatMap((name) =>
      [...readFileSync(join('src-queue/redis/scripts', name), 'utf8').matchAll(/\bcall\(\s*'([A-Za-z]+)'/g)].map(
        (match) => match[1]?.toUpperCase(),
      ),
    ),
  );
  const tried = new Set(SCRIPT_COMMANDS.map(([name]) => name));
  expect([...used].filter((name) => name !== undefined && !tried.has(name))).toEqual([]);
});
