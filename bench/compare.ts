/** One repetition of everything that is measured on Millrace and its peers, in turns. */
import type { Redis } from 'ioredis';
import * as m from './measures';
import { accountOf } from './redis-account';
import { type Figures, quantile } from './report';
import type { Subject, Work } from './subject';

const MEMORY_TASKS = 20_000;
const PICKUPS = 300;
const PICKUP_GAP_MS = 5;
/** The first ones find cold processes. */
const PICKUPS_DROPPED = 50;

interface Processing {
  work: Work;
  concurrency: number;
  workers?: number;
  /** Of the tasks of a run: those that take longer are fewer, and fast ones more, so that the start of a worker counts less. */
  share?: number;
}
const PROCESSING: readonly Processing[] = [
  { work: 'noop', concurrency: 50, share: 5 },
  { work: 'noop', concurrency: 100, share: 2.5 },
  { work: 'noop', concurrency: 10 },
  { work: 'noop', concurrency: 1, share: 0.2 },
  { work: 'noop', concurrency: 50, workers: 2, share: 2.5 },
  { work: 'flaky', concurrency: 50, share: 0.5 },
  { work: 'wait', concurrency: 100, share: 0.5 },
  { work: 'spin', concurrency: 10, share: 0.1 },
];

export interface Plan {
  redis: Redis;
  subjects: () => Subject[];
  figures: Figures;
  /** Of a run. */
  tasks: number;
  wanted: (measure: string) => boolean;
}

/** Of the tasks of a run. */
export const SUBMITTED_SHARE = 2.5;

export async function compare({ redis, subjects, figures, tasks, wanted }: Plan): Promise<void> {
  const each = async (measure: string, run: (subject: Subject) => Promise<void>) => {
    if (!wanted(measure)) return;
    for (const subject of subjects()) {
      await redis.flushall();
      await run(subject);
      await subject.close();
    }
  };
  for (const { work, concurrency, workers = 1, share = 1 } of PROCESSING) {
    const count = Math.ceil(tasks * share);
    await each(m.processing(work, concurrency, workers), async (subject) => {
      await subject.enqueue(count, work);
      const before = await accountOf(redis);
      const ms = await subject.process(count, { concurrency, workers });
      const after = await accountOf(redis);
      const of = { subject: subject.name };
      const add = (name: typeof m.redisCpu, unit: string, spent: number) =>
        figures.add(name(work, concurrency, workers), unit, spent / count, of);
      figures.add(m.processing(work, concurrency, workers), 'tasks/s', count / (ms / 1000), {
        ...of,
        moreIsBetter: true,
      });
      add(m.redisCpu, 'µs', (after.cpuMs - before.cpuMs) * 1000);
      add(m.redisCommands, 'commands', after.commands - before.commands);
      add(m.redisNetwork, 'bytes', after.networkBytes - before.networkBytes);
      add(m.redisFile, 'bytes', after.fileBytes - before.fileBytes);
    });
  }
  const submitted = Math.ceil(tasks * SUBMITTED_SHARE);
  const submits: [string, (subject: Subject) => Promise<number>][] = [
    [m.SUBMIT_SINGLY, (subject) => subject.submitSingly(submitted, 50)],
    [m.SUBMIT_IN_BULK, (subject) => subject.submitInBulk(submitted, 1000)],
  ];
  for (const [name, submit] of submits)
    await each(name, async (subject) => {
      const of = { subject: subject.name };
      const before = await accountOf(redis);
      const ms = await submit(subject);
      const after = await accountOf(redis);
      figures.add(name, 'tasks/s', submitted / (ms / 1000), { ...of, moreIsBetter: true });
      if (name !== m.SUBMIT_IN_BULK) return;
      figures.add(m.ofSubmits.cpu, 'µs', ((after.cpuMs - before.cpuMs) * 1000) / submitted, of);
      figures.add(m.ofSubmits.network, 'bytes', (after.networkBytes - before.networkBytes) / submitted, of);
      figures.add(m.ofSubmits.file, 'bytes', (after.fileBytes - before.fileBytes) / submitted, of);
    });
  await each(m.MEMORY, async (subject) => {
    const empty = await accountOf(redis);
    await subject.enqueue(MEMORY_TASKS);
    const full = await accountOf(redis);
    const bytes = (full.memoryBytes - empty.memoryBytes) / MEMORY_TASKS;
    figures.add(m.MEMORY, 'bytes', bytes, { subject: subject.name });
  });
  await each(m.pickup('p50'), async (subject) => {
    const ms = (await subject.pickup(PICKUPS, PICKUP_GAP_MS)).slice(PICKUPS_DROPPED);
    figures.add(m.pickup('p50'), 'ms', quantile(ms, 0.5), { subject: subject.name });
    figures.add(m.pickup('p99'), 'ms', quantile(ms, 0.99), { subject: subject.name });
  });
}
