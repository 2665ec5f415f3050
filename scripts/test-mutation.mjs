/**
 * `npm run test:mutation`: puts faults into the scripts, one at a time, and sees whether the tests notice: first the model
 * test, then, for those that it does not see, the fast tests of the scripts. Its last line is the score, which must be 95 %
 * or more. MUTANTS is how many of all that the rules make are tried, evenly over the scripts, beginning where MODEL_SEED
 * says; `MUTANTS=all` tries all of them.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { packageScript, ROOT } from './run.mjs';
import { runTests } from './run-tests.mjs';

const LEAST_PERCENT = 95;
const SAMPLE = '240';
const RESULTS = join(ROOT, 'test-results', 'mutation.jsonl');
const SCRIPT_TESTS = [
  'exact-bounds',
  'lost-records',
  'aging',
  'attempt-history',
  'batch-cancel',
  'durability',
  'engine-life',
  'engine-lists',
  'last-progress',
  'lifecycle',
  'oldest-pending',
  'repair',
  'retention',
  'shards',
  'store-identity',
  'submit-keys',
  'task-filters',
];
const MS_A_RUN = 120_000;

process.exitCode = await main();

async function main() {
  mkdirSync(join(ROOT, 'test-results'), { recursive: true });
  rmSync(RESULTS, { force: true });
  const wanted = process.env.MUTANTS ?? SAMPLE;
  const sample = wanted === 'all' ? {} : { MUTANTS: wanted };
  const code = await runTests({
    needs: ['redis', 'cc'],
    args: ['--project', 'mutation', ...process.argv.slice(2)],
    env: { MILLRACE_FAULTS: '1', MUTATION_RESULTS: RESULTS, ...sample },
  });
  if (code !== 0 || !existsSync(RESULTS)) return 1;
  const tried = readFileSync(RESULTS, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const unseen = tried.filter(({ killed }) => !killed);
  if (unseen.length > 0 && !scriptTestsPass()) {
    console.log('the tests of the scripts fail without any mutant');
    return 1;
  }
  console.log(
    `\n${tried.length - unseen.length} of ${tried.length} were seen by the model test; the others, by the tests of the scripts:`,
  );
  const survivors = unseen.filter(({ name, ...mutant }) => {
    const survives = scriptTestsPass(mutant);
    console.log(`${survives ? 'SURVIVED' : 'killed  '} ${name}`);
    return survives;
  });
  const killed = tried.length - survivors.length;
  const percent = (100 * killed) / tried.length;
  console.log(`mutation score: ${killed} of ${tried.length} = ${percent.toFixed(1)} %`);
  return percent >= LEAST_PERCENT ? 0 : 1;
}

function scriptTestsPass(mutant) {
  const files = SCRIPT_TESTS.map((name) => `tests/redis/${name}.test.ts`);
  const args = [
    packageScript('vitest/vitest.mjs'),
    'run',
    '--project',
    'redis',
    '--bail',
    '1',
    '--no-isolate',
    ...files,
  ];
  const env = { ...process.env, ...(mutant && { MILLRACE_MUTANT: JSON.stringify(mutant) }) };
  return spawnSync(process.execPath, args, { cwd: ROOT, env, stdio: 'ignore', timeout: MS_A_RUN }).status === 0;
}
