/**
 * `npm run test:mutation`: puts faults into the scripts, one at a time, and sees whether the model test notices. Prints each
 * mutant and the score, which must be 95 % or more. MUTANTS is how many of all that the rules make are tried.
 */
import { bootstrap } from './bootstrap.mjs';
import { packageScript, runForeground } from './run.mjs';

if (bootstrap({ needs: ['redis', 'cc'] })) {
  const env = { ...process.env, MILLRACE_FAULTS: '1' };
  const args = [packageScript('vitest/vitest.mjs'), 'run', '--project', 'mutation', ...process.argv.slice(2)];
  process.exitCode = await runForeground(process.execPath, args, { env });
} else {
  console.log('\n0 passed, 1 failed');
  process.exitCode = 1;
}
