/**
 * `npm run test:faults`: the long tests of faults. The model test with 20 000 rows of calls, every case of tests/faults, and
 * at the end a table: which faults were tried, and of the tasks in them how many were lost, ended twice, or were run more
 * often than they may. Arguments are Vitest's.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './run.mjs';
import { runTests } from './run-tests.mjs';

const TABLE = join(ROOT, 'test-results', 'faults.jsonl');

mkdirSync(join(ROOT, 'test-results'), { recursive: true });
rmSync(TABLE, { force: true });
process.exitCode = await runTests({
  needs: ['redis', 'cc'],
  args: ['--project', 'model', '--project', 'faults', ...process.argv.slice(2)],
  env: { MILLRACE_FAULTS: '1', MODEL_RUNS: process.env.MODEL_RUNS ?? '20000', FAULTS_TABLE: TABLE },
});
printTable();

function printTable() {
  if (!existsSync(TABLE)) return;
  const rows = readFileSync(TABLE, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const sum = (field) => rows.reduce((total, row) => total + row[field], 0);
  console.log(`\n${'tasks'.padStart(6)} ${'lost'.padStart(5)} ${'twice'.padStart(6)} ${'over'.padStart(5)}  fault`);
  const line = ({ tasks, lost, twice, over, name }) =>
    `${String(tasks).padStart(6)} ${String(lost).padStart(5)} ${String(twice).padStart(6)} ${String(over).padStart(5)}  ${name}`;
  for (const row of rows) console.log(line(row));
  const total = { tasks: sum('tasks'), lost: sum('lost'), twice: sum('twice'), over: sum('over') };
  console.log(line({ ...total, name: `${rows.length} faults tried` }));
  console.log(
    `lost ${total.lost}, accepted under a stale token ${total.twice}, attempts above the maximum ${total.over}`,
  );
  if (total.lost + total.twice + total.over > 0) process.exitCode = 1;
}
