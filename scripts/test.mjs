/**
 * `npm test`: everything that the tests need, then all of them. Arguments are Vitest's: `npm test -- tests/unit`.
 * The last line is always `N passed, N failed`, also where the tests could not begin.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { packageScript, ROOT, runForeground } from './run.mjs';

const needs = [
  'redis',
  'python3',
  'openssl',
  ...(hasTests('model') ? ['cc'] : []),
  ...(hasTests('browser') ? ['chromium', 'curl'] : []),
  ...(hasTests('desktop') ? ['electron'] : []),
];

if (bootstrap({ needs })) {
  const args = [packageScript('vitest/vitest.mjs'), 'run', ...process.argv.slice(2)];
  process.exitCode = await runForeground(process.execPath, args);
} else {
  console.log('\n0 passed, 1 failed');
  process.exitCode = 1;
}

function hasTests(folder) {
  try {
    return readdirSync(join(ROOT, 'tests', folder), { recursive: true }).some((name) => name.endsWith('.test.ts'));
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}
