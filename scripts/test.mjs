/**
 * `npm test`: everything that the tests need, then all of them. Arguments are Vitest's: `npm test -- tests/unit`.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './run.mjs';
import { runTests } from './run-tests.mjs';

const needs = [
  'redis',
  'python3',
  'openssl',
  ...(hasTests('model') ? ['cc'] : []),
  ...(hasTests('browser') ? ['chromium', 'curl'] : []),
  ...(hasTests('desktop') ? ['electron'] : []),
];

process.exitCode = await runTests({ needs, args: process.argv.slice(2) });

function hasTests(folder) {
  try {
    return readdirSync(join(ROOT, 'tests', folder), { recursive: true }).some((name) => name.endsWith('.test.ts'));
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}
