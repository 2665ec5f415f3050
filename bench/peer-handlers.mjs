// What the handlers of the peers do, as bench/handlers/ does it for Millrace.
import { setTimeout as wait } from 'node:timers/promises';

/** @param attempt executions of this task begun before this one */
export async function run(work, data, attempt) {
  if (work === 'stamp') return performance.timeOrigin + performance.now() - data.at;
  if (work === 'wait') await wait(20);
  if (work === 'spin') for (const end = performance.now() + 1; performance.now() < end; );
  if (work === 'flaky' && attempt === 0) throw new Error('the first attempt fails');
  return null;
}
