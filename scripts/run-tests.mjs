/** Vitest, after all that the tests need has been brought. Its last line is always `N passed, N failed`, also where it could not begin. */
import { bootstrap } from './bootstrap.mjs';
import { packageScript, runForeground } from './run.mjs';

/**
 * @param {{ needs: string[], args: string[], env?: Record<string, string> }} run
 *   `needs` of system-needs.mjs; `args` are Vitest's; `env` goes before the environment's own
 * @returns {Promise<number>} the exit code
 */
export async function runTests({ needs, args, env = {} }) {
  if (bootstrap({ needs })) {
    const options = { env: { ...process.env, ...env } };
    return runForeground(process.execPath, [packageScript('vitest/vitest.mjs'), 'run', ...args], options);
  }
  console.log('\n0 passed, 1 failed');
  return 1;
}
