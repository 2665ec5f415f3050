/**
 * `npm run bench [-- --peers] [--repetitions N] [--tasks N]`: what this machine does with Millrace, and with BullMQ
 * beside it in turns. Timings on shared machines swing by a factor of two: compare ratios of one run, not figures.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { startRedis } from '../tests/support/redis-server';
import { BullmqSubject } from './bullmq-subject';
import { measureHttp } from './http';
import { MillraceSubject } from './millrace-subject';
import { type Measure, printMeasures, quantile } from './report';
import type { Subject } from './subject';

const { values: options } = parseArgs({
  options: {
    peers: { type: 'boolean', default: false },
    repetitions: { type: 'string', default: '3' },
    tasks: { type: 'string', default: '20000' },
  },
});

const MEMORY_TASKS = 20_000;
const PICKUPS = 300;

async function main(): Promise<void> {
  const repetitions = Number(options.repetitions);
  const tasks = Number(options.tasks);
  const server = await startRedis({ args: ['--appendfsync', 'everysec'] });
  const admin = new Redis({ host: server.host, port: server.port });
  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, Redis ${/redis_version:(\S+)/.exec(await admin.info('server'))?.[1]}`,
  );
  console.log(
    `${tasks} tasks a run, ${repetitions} repetitions, AOF everysec, payload of about 200 bytes, priorities 1 to 10`,
  );
  const measures: Measure[] = [];
  const record = (name: string, unit: string, moreIsBetter: boolean, subject: string, value: number) => {
    const known = measures.find((measure) => measure.name === name);
    const measure = known ?? { name, unit, moreIsBetter, values: new Map() };
    if (!known) measures.push(measure);
    measure.values.set(subject, [...(measure.values.get(subject) ?? []), value]);
  };
  const subjects = (): Subject[] => [
    new MillraceSubject(server),
    ...(options.peers
      ? [new BullmqSubject(server, { priorities: true }), new BullmqSubject(server, { priorities: false })]
      : []),
  ];
  const each = async (run: (subject: Subject) => Promise<void>) => {
    for (const subject of subjects()) {
      await admin.flushall();
      await run(subject);
      await subject.close();
    }
  };
  const redisCpuMs = async () => {
    const info = await admin.info('cpu');
    const seconds = (field: string) => Number(new RegExp(`${field}:(\\S+)`).exec(info)?.[1]);
    return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1000;
  };

  for (let repetition = 1; repetition <= repetitions; repetition++) {
    console.error(`repetition ${repetition} of ${repetitions}`);
    for (const concurrency of [50, 10, 1]) {
      const count = concurrency === 1 ? Math.ceil(tasks / 5) : tasks;
      await each(async (subject) => {
        await subject.enqueue(count);
        const before = await redisCpuMs();
        const ms = await subject.process(count, concurrency);
        record(
          `process no-op tasks, one worker, concurrency ${concurrency}`,
          'tasks/s',
          true,
          subject.name,
          count / (ms / 1000),
        );
        record(
          `Redis CPU per task, concurrency ${concurrency}`,
          'µs',
          false,
          subject.name,
          (((await redisCpuMs()) - before) * 1000) / count,
        );
      });
    }
    await each(async (subject) => {
      record(
        'submit one at a time, 50 in flight',
        'tasks/s',
        true,
        subject.name,
        tasks / ((await subject.submitSingly(tasks, 50)) / 1000),
      );
    });
    await each(async (subject) => {
      record(
        'submit in calls of 1000',
        'tasks/s',
        true,
        subject.name,
        tasks / ((await subject.submitInBulk(tasks, 1000)) / 1000),
      );
    });
    await each(async (subject) => {
      const empty = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1]);
      await subject.enqueue(MEMORY_TASKS);
      const full = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1]);
      record(
        'Redis memory of a pending task, indexes included',
        'bytes',
        false,
        subject.name,
        (full - empty) / MEMORY_TASKS,
      );
    });
    await each(async (subject) => {
      const ms = (await subject.pickup(PICKUPS, 5)).slice(50);
      record('submit to start on an idle queue, p50', 'ms', false, subject.name, quantile(ms, 0.5));
      record('submit to start on an idle queue, p99', 'ms', false, subject.name, quantile(ms, 0.99));
    });
    await admin.flushall();
    for (const [route, ms] of await measureHttp(server.url))
      record(`HTTP ${route}, median`, 'ms', false, 'millrace', ms);
  }
  printMeasures(measures, 'millrace');
  admin.disconnect();
  await server.stop();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
