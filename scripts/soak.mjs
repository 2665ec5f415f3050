/** `npm run soak -- --minutes N --seed S`: faults in an order that the seed gives, then the books. One JSON line a run. */
import { parseArgs } from 'node:util';
import { runTests } from './run-tests.mjs';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '2' }, seed: { type: 'string' } } });
if (!(Number(values.minutes) > 0) || (values.seed !== undefined && !Number.isInteger(Number(values.seed)))) {
  console.error('--minutes must be above 0, --seed a whole number');
  process.exit(2);
}

process.exitCode = await runTests({
  needs: ['redis'],
  args: ['--project', 'soak'],
  env: {
    MILLRACE_FAULTS: '1',
    SOAK_MINUTES: values.minutes,
    ...(values.seed === undefined ? {} : { SOAK_SEED: values.seed }),
  },
});
