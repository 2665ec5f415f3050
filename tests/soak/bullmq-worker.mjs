// A BullMQ worker in a process of its own, with its defaults. It does what the handler of Millrace does, and leaves the
// same lines. Its environment says where Redis is.
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'bullmq';

const { SOAK_LOG, SOAK_PORT, SOAK_SLOTS, SOAK_STEADY } = process.env;
const leave = (...words) => appendFileSync(SOAK_LOG, `${[...words, process.pid, Date.now()].join(' ')}\n`);

const worker = new Worker(
  'soak',
  async ({ id, data: { ms, failures, deadly }, attemptsStarted: attempt }) => {
    const execution = randomUUID();
    leave('begin', id, attempt, execution);
    await sleep(ms);
    if (deadly && attempt === 1 && !SOAK_STEADY) process.kill(process.pid, 'SIGKILL');
    if (attempt <= failures) throw new Error('an attempt fails');
    leave('end', id, attempt, execution);
    return { execution, attempt };
  },
  { connection: { host: '127.0.0.1', port: Number(SOAK_PORT) }, concurrency: Number(SOAK_SLOTS) },
);
worker.on('error', () => undefined); // it connects again by itself
process.once('SIGTERM', async () => {
  await worker.close();
  process.exit(0);
});
