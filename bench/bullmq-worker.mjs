// A BullMQ worker in a process of its own; the parent says how, and when to go.
import { Worker } from 'bullmq';
import { run } from './peer-handlers.mjs';

process.on('message', async (message) => {
  if (message.kind !== 'start') return;
  const { port, concurrency } = message;
  const worker = new Worker('bench', (job) => run(job.name, job.data, job.attemptsMade), {
    connection: { host: '127.0.0.1', port, maxRetriesPerRequest: null },
    concurrency,
    autorun: false,
  });
  worker.on('error', () => undefined);
  process.on('disconnect', () => process.exit(0));
  await worker.waitUntilReady();
  process.send('ready');
  await worker.run();
});
