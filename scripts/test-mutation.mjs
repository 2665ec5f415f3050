/**
 * `npm run test:mutation`: puts faults into the scripts, one at a time, and sees whether the model test notices. Prints each
 * mutant and the score, which must be 95 % or more. MUTANTS is how many of all that the rules make are tried.
 */
import { runTests } from './run-tests.mjs';

process.exitCode = await runTests({
  needs: ['redis', 'cc'],
  args: ['--project', 'mutation', ...process.argv.slice(2)],
  env: { MILLRACE_FAULTS: '1' },
});
