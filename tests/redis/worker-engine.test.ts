import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskSpec } from '#queue/engine/ports';
import { systemClock } from '#queue/kernel/clock';
import type { WorkerConfigInput } from '#worker/config';
import { type AnyHandler, FatalError, RetryLater, Snooze } from '#worker/handler';
import { submitAll, submitOne } from '../support/engine';
import { waitFor } from '../support/millrace-process';
import { workersOfFile } from '../support/redis-worker';

const world = workersOfFile();
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-artifacts-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const working = (handlers: readonly AnyHandler[], config: Partial<WorkerConfigInput> = {}) =>
  world.start(handlers, { artifactsDir: root, ...config });

const task = async (id: string) => (await world.connected.reader.getTasks([id], { full: true }))[0];
const until = (id: string, status: string) =>
  waitFor(
    `task ${id} to be ${status}`,
    async () => {
      const found = await task(id);
      return found?.status === status ? found : null;
    },
    10_000,
  );
const submit = (spec: Partial<TaskSpec>) =>
  submitOne(world.connected, { type: 'job', backoff: { type: 'fixed', baseMs: 50, maxMs: 50, jitter: 0 }, ...spec });
const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, fail) => signal.addEventListener('abort', () => fail(signal.reason as Error)));

describe('a worker over Redis', () => {
  it('runs a thousand tasks, each once, by priority within what it takes at a time', async () => {
    let runs = 0;
    const ids = await submitAll(
      world.connected,
      Array.from({ length: 1_000 }, (_, i) => ({ type: 'job', priority: (i % 10) + 1 })),
    );
    await working([{ type: 'job', run: () => ({ run: ++runs }) }], { concurrency: 50 });
    await waitFor('all to complete', async () =>
      (await world.connected.reader.queueState('default'))?.counts.completed === 1_000 ? true : null,
    );
    expect(runs).toBe(1_000);
    const found = await world.connected.reader.getTasks(ids);
    expect(found.every((it) => it?.attempts === 1 && it.status === 'completed')).toBe(true);
  });

  it('keeps progress, logs, result and artifacts of a task', async () => {
    const id = await submit({ payload: '{"n":2}' });
    let seen: () => void = () => undefined;
    const looked = new Promise<void>((done) => {
      seen = done;
    });
    await working([
      {
        type: 'job',
        run: async ({ payload, progress, log, artifacts }) => {
          await progress(30, 'a third');
          await looked;
          log.warn('look', { payload });
          const { name } = await artifacts.write('out.txt', 'hello');
          return { name };
        },
      },
    ]);
    const running = await waitFor('progress', async () => {
      const found = await task(id);
      return found?.progress === 30 ? found : null;
    });
    expect(running).toMatchObject({ status: 'processing', progressMessage: 'a third' });
    seen();
    expect(await until(id, 'completed')).toMatchObject({ result: '{"name":"out.txt"}', progress: 100, attempts: 1 });
    expect(await world.connected.reader.logs(id)).toEqual([
      expect.objectContaining({ level: 'warn', message: 'look {"payload":{"n":2}}', attempt: 1 }),
    ]);
    expect(await readFile(join(root, id, 'out.txt'), 'utf8')).toBe('hello');
  });

  it('retries, counts attempts, keeps every error, and buries after the last attempt', async () => {
    const id = await submit({ maxRetries: 2 });
    await working([
      { type: 'job', run: ({ task: { attempt } }) => Promise.reject(new TypeError(`attempt ${attempt}`)) },
    ]);
    const dead = await until(id, 'failed');
    expect(dead).toMatchObject({ attempts: 3, error: { name: 'TypeError', message: 'attempt 3' } });
    const errors = (await world.connected.reader.history(id))?.flatMap(({ error }) => (error === null ? [] : [error]));
    expect(errors?.map(({ message }) => message)).toEqual(['attempt 1', 'attempt 2', 'attempt 3']);
    expect(new Set(errors?.map(({ fingerprint }) => fingerprint)).size).toBe(1);
  });

  it('buries at once on FatalError, and goes on later on RetryLater and Snooze', async () => {
    const [fatal, later, snoozed] = [
      await submit({ type: 'fatal' }),
      await submit({ type: 'later' }),
      await submit({ type: 'snooze' }),
    ];
    let naps = 0;
    await working([
      { type: 'fatal', run: () => Promise.reject(new FatalError('never')) },
      { type: 'later', run: ({ task: { attempt } }) => (attempt === 1 ? Promise.reject(new RetryLater(0.2)) : 'ok') },
      { type: 'snooze', run: () => (naps++ < 3 ? Promise.reject(new Snooze(0.1)) : 'ok') },
    ]);
    expect(await until(fatal, 'failed')).toMatchObject({ attempts: 1 });
    expect(await until(later, 'completed')).toMatchObject({ attempts: 2 });
    expect(await until(snoozed, 'completed')).toMatchObject({ attempts: 1 });
  });

  it('cancels a running task', async () => {
    const id = await submit({});
    await working([{ type: 'job', run: ({ signal }) => aborted(signal) }], { leaseMs: 400 });
    await until(id, 'processing');
    expect(await world.connected.engine.cancel([id], 'changed my mind')).toEqual(['asked']);
    expect((await until(id, 'cancelled')).attempts).toBe(1);
  });

  it('keeps the lease of a task that runs for many lease times', async () => {
    const id = await submit({});
    let finish: () => void = () => undefined;
    const { logs } = await working(
      [
        {
          type: 'job',
          run: () =>
            new Promise<void>((done) => {
              finish = done;
            }),
        },
      ],
      { leaseMs: 400 },
    );
    await until(id, 'processing');
    await systemClock.sleep(2_000);
    finish();
    expect(await until(id, 'completed')).toMatchObject({ attempts: 1 });
    expect(logs.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('starts a scheduled task when it is due, within a moment', async () => {
    let startedAt = 0;
    await working([
      {
        type: 'job',
        run: () => {
          startedAt = systemClock.now();
        },
      },
    ]);
    const dueAt = systemClock.now() + 700;
    const id = await submit({ runAt: dueAt });
    await until(id, 'completed');
    expect(startedAt).toBeGreaterThanOrEqual(dueAt);
    expect(startedAt - dueAt).toBeLessThan(400);
  });

  it('hands its running tasks back on a stop, and another worker runs them; no attempt is counted', async () => {
    const id = await submit({});
    const { worker } = await working([{ type: 'job', run: ({ signal }) => aborted(signal) }], {
      shutdownTimeoutMs: 100,
    });
    await until(id, 'processing');
    await worker.stop();
    expect(await task(id)).toMatchObject({ status: 'pending', attempts: 0 });
    expect(await world.connected.directory.list()).toEqual([]);
    await working([{ type: 'job', run: () => 'elsewhere' }]);
    expect(await until(id, 'completed')).toMatchObject({ attempts: 1, result: '"elsewhere"' });
  });

  it('submits tasks of its own, and looks at them', async () => {
    const id = await submit({ type: 'parent', owner: 'ada' });
    await working([
      { type: 'child', run: ({ payload }) => payload },
      {
        type: 'parent',
        run: async ({ tasks, task: { id: parent } }) => {
          const children = await tasks.submit(
            [1, 2].map((n) => ({ task_type: 'child', payload: { n }, idempotency_key: `${parent}/${n}` })),
          );
          const states = await tasks.states(children);
          if (states.some((state) => state?.status !== 'completed')) throw new Snooze(0.1);
          return states.map((state) => state?.result);
        },
      },
    ]);
    expect((await until(id, 'completed')).result).toBe('[{"n":1},{"n":2}]');
    const { tasks } = await world.connected.reader.listTasks({ task_type: 'child' }, { limit: 10, cursor: null });
    expect(tasks.map(({ owner, status }) => [owner, status])).toEqual([
      ['ada', 'completed'],
      ['ada', 'completed'],
    ]);
  });

  it('is in the directory with what it does, and hears its commands', async () => {
    const { worker } = await working([{ type: 'job', aliases: ['chore'], run: () => 1 }], {
      queues: [{ name: 'default', weight: 2 }, { name: 'other' }],
    });
    const [seen] = await world.connected.directory.list();
    expect(seen).toMatchObject({
      id: worker.id,
      state: 'running',
      task_types: ['job', 'chore'],
      concurrency: 5,
      blocked: false,
    });
    expect((await world.connected.directory.announcedTypes()).map(({ task_type }) => task_type).sort()).toEqual([
      'chore',
      'job',
    ]);
    expect(await world.connected.directory.command(worker.id, 'quiet')).toBe(true);
    await waitFor('quiet', async () => ((await world.connected.directory.list())[0]?.state === 'quiet' ? true : null));
    const id = await submit({});
    await systemClock.sleep(300);
    expect((await task(id))?.status).toBe('pending');
  });

  it('serves every queue, those that appear while it runs within a moment of their first task', async () => {
    const before = await submit({ queue: 'before' });
    const { own } = await working([{ type: 'job', run: () => 1 }], { queues: [{ name: '*' }] });
    await until(before, 'completed');
    for (const queue of ['emails', 'images']) {
      for (const which of ['first', 'second', 'third']) {
        const id = await submit({ queue });
        const { createdAt, finishedAt } = await until(id, 'completed');
        expect((finishedAt ?? 0) - createdAt, `the ${which} of ${queue}`).toBeLessThan(500);
      }
    }
    const [seen] = await waitFor('the queues in its heartbeat', async () => {
      const workers = await world.connected.directory.list();
      return workers[0]?.serving?.length === 3 ? workers : null;
    });
    expect(seen).toMatchObject({ queues: [{ name: '*', weight: 1 }], serving: ['images', 'emails', 'before'] });
    expect(await own.reader.queueNames()).toEqual(['before', 'emails', 'images']);
  });

  it('serves every queue but the paused ones, and those when they are resumed', async () => {
    await working([{ type: 'job', run: () => 1 }], { queues: [{ name: '*' }] });
    await world.connected.engine.pause('stopped');
    const held = await submit({ queue: 'stopped' });
    await until(await submit({ queue: 'going' }), 'completed');
    expect((await task(held))?.status).toBe('pending');
    await world.connected.engine.resume('stopped');
    await until(held, 'completed');
  });

  it('hears from its own upkeep of work that nobody announced, and of tasks that wait for its types', async () => {
    // One that cannot run the task puts it aside; nothing is announced again.
    const first = await submit({ queue: 'aside', type: 'rare' });
    await world.connected.engine.work({
      queue: 'aside',
      workerId: 'w-other',
      lane: '0',
      nonce: 'n1',
      settles: [],
      want: 1,
      leaseMs: 10_000,
      types: ['job'],
    });
    await working([{ type: 'rare', run: () => 1 }], { queues: [{ name: '*' }] });
    await until(first, 'completed');
    await world.connected.store.command('no news', (redis) => redis.del(world.connected.store.keys.system('work')));
    const later = await submit({ queue: 'aside', type: 'rare', runAt: systemClock.now() + 700 });
    await until(later, 'completed');
  });

  it('loses nothing and runs nothing twice over a kill -9 of Redis', async () => {
    const runs = new Map<string, number>();
    await working(
      [
        {
          type: 'job',
          run: async ({ task: { id } }) => {
            runs.set(id, (runs.get(id) ?? 0) + 1);
            await systemClock.sleep(20);
            return 'ok';
          },
        },
      ],
      { concurrency: 20, leaseMs: 10_000 },
    );
    const ids = await submitAll(
      world.connected,
      Array.from({ length: 400 }, () => ({ type: 'job' })),
    );
    await waitFor('some to run', () => (runs.size > 60 ? true : null));
    world.server.kill9();
    await systemClock.sleep(500);
    await world.server.restart();
    await waitFor('all to complete', async () =>
      (await world.connected.reader.queueState('default'))?.counts.completed === ids.length ? true : null,
    );
    expect([...runs.values()].filter((count) => count > 1)).toEqual([]);
    expect(runs.size).toBe(ids.length);
  });
});
