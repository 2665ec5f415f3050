/** `npm run soak -- --minutes N --seed S`: faults in an order that the seed gives, then the books. One JSON line a run. */
import { parseArgs } from 'node:util';
import { bootstrap } from './bootstrap.mjs';
import { packageScript, runForeground } from './run.mjs';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '2' }, seed: { type: 'string' } } });
if (!(Number(values.minutes) > 0) || (values.seed !== undefined && !Number.isInteger(Number(values.seed)))) {
  console.error('--minutes must be above 0, --seed a whole number');
  process.exit(2);
}

if (bootstrap({ needs: ['redis'] })) {
  const seed = values.seed === undefined ? {} : { SOAK_SEED: values.seed };
  const env = { ...process.env, MILLRACE_FAULTS: '1', SOAK_MINUTES: values.minutes, ...seed };
  const args = [packageScript('vitest/vitest.mjs'), 'run', '--project', 'soak'];
  process.exitCode = await runForeground(process.execPath, args, { env });
} else {
  console.log('\n0 passed, 1 failed');
  process.exitCode = 1;
}
