/**
 * `npm run bench [-- --peers] [--repetitions N] [--tasks N] [--only TEXT]`: what this machine does with Millrace, and
 * with BullMQ beside it in turns; with `--console` what the console does instead. `--only` runs the measures whose name has TEXT in it. Timings on shared machines swing by a factor of two: compare ratios of one run, not figures.
 */
import { cpus, loadavg } from 'node:os';
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
    tasks: { type: 'string' },
    only: { type: 'string', default: '' },
    console: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '30' },
    events: { type: 'string', default: '1000' },
    profiles: { type: 'string', default: '' },
    electron: { type: 'string', default: '' },
  },
});

const SUBMIT_SINGLY = 'submit one at a time, 50 in flight';
const SUBMIT_IN_BULK = 'submit in calls of 1000';
const MEMORY = 'Redis memory of a pending task, indexes included';
const PICKUP = 'submit to start on an idle queue';
const processing = (concurrency: number) => `process no-op tasks, one worker, concurrency ${concurrency}`;
const MEMORY_TASKS = 20_000;
const PICKUPS = 300;

const machine = () =>
  `${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}, Node ${process.version}`;

/** Its browser is loaded only for it. */
async function benchConsole(repetitions: number): Promise<void> {
  const { measureConsole } = await import('./console');
  console.log(machine());
  await measureConsole({
    tasks: Number(options.tasks ?? 100_000),
    repetitions,
    seconds: Number(options.seconds),
    eventsPerSecond: Number(options.events),
    profiles: options.profiles,
    only: options.only,
    electron: options.electron,
  });
}

async function main(): Promise<void> {
  const repetitions = Number(options.repetitions);
  if (options.console) return benchConsole(repetitions);
  const tasks = Number(options.tasks ?? 20_000);
  const server = await startRedis({ args: ['--appendfsync', 'everysec'] });
  const admin = new Redis({ host: server.host, port: server.port });
  console.log(`${machine()}, Redis ${/redis_version:(\S+)/.exec(await admin.info('server'))?.[1]}`);
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
  const wanted = (measure: string) => measure.includes(options.only);
  const each = async (measure: string, run: (subject: Subject) => Promise<void>) => {
    if (!wanted(measure)) return;
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
      await each(processing(concurrency), async (subject) => {
        await subject.enqueue(count);
        const before = await redisCpuMs();
        const ms = await subject.process(count, concurrency);
        const cpu = (((await redisCpuMs()) - before) * 1000) / count;
        record(processing(concurrency), 'tasks/s', true, subject.name, count / (ms / 1000));
        record(`Redis CPU per task, concurrency ${concurrency}`, 'µs', false, subject.name, cpu);
      });
    }
    await each(SUBMIT_SINGLY, async (subject) => {
      record(SUBMIT_SINGLY, 'tasks/s', true, subject.name, tasks / ((await subject.submitSingly(tasks, 50)) / 1000));
    });
    await each(SUBMIT_IN_BULK, async (subject) => {
      record(SUBMIT_IN_BULK, 'tasks/s', true, subject.name, tasks / ((await subject.submitInBulk(tasks, 1000)) / 1000));
    });
    await each(MEMORY, async (subject) => {
      const empty = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1]);
      await subject.enqueue(MEMORY_TASKS);
      const full = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1]);
      record(MEMORY, 'bytes', false, subject.name, (full - empty) / MEMORY_TASKS);
    });
    await each(PICKUP, async (subject) => {
      const ms = (await subject.pickup(PICKUPS, 5)).slice(50);
      record(`${PICKUP}, p50`, 'ms', false, subject.name, quantile(ms, 0.5));
      record(`${PICKUP}, p99`, 'ms', false, subject.name, quantile(ms, 0.99));
    });
    if (!wanted('HTTP')) continue;
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
