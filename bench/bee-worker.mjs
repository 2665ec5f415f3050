// A bee-queue worker in a process of its own; it takes jobs when the parent says `go`: its queues cannot stand still.
import Queue from 'bee-queue';
import { run } from './peer-handlers.mjs';

let queue;
process.on('disconnect', () => process.exit(0));
process.on('message', async ({ kind, port, concurrency }) => {
  if (kind === 'start') {
    queue = new Queue('bench', { redis: { host: '127.0.0.1', port } });
    await queue.ready();
    process.send('ready');
  } else {
    const begun = new Set();
    queue.process(concurrency, (job) => {
      const attempt = begun.has(job.id) ? 1 : 0;
      if (job.data.work === 'flaky') begun.add(job.id);
      const result = run(job.data.work, job.data, attempt);
      // It keeps no results.
      if (job.data.work === 'stamp') void result.then((ms) => process.send({ ms }));
      return result;
    });
  }
});
