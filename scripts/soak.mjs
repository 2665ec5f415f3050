/**
 * `npm run soak -- --minutes N --seed S`: faults in an order that the seed gives, then the books. One JSON line a run, also
 * in test-results/soak.jsonl. With `--bullmq` the same work and faults for BullMQ, to compare.
 */
import { parseArgs } from 'node:util';
import { runTests } from './run-tests.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string' },
    bullmq: { type: 'boolean', default: false },
  },
});
if (!(Number(values.minutes) > 0) || (values.seed !== undefined && !Number.isInteger(Number(values.seed)))) {
  console.error('--minutes must be above 0, --seed a whole number');
  process.exit(2);
}

process.exitCode = await runTests({
  needs: ['redis'],
  args: ['--project', 'soak', `tests/soak/${values.bullmq ? 'bullmq' : 'soak'}.test.ts`],
  env: {
    MILLRACE_FAULTS: '1',
    SOAK_MINUTES: values.minutes,
    ...(values.seed === undefined ? {} : { SOAK_SEED: values.seed }),
  },
});
