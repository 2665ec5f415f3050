import { expect, it } from 'vitest';
import { Worker } from '#queue/contract/worker';
import { worker as oldBeat } from '../support/api-world';
import { eventually, held, workerWorlds } from '../support/worker-world';

const { running } = workerWorlds();

it('tells when it last heard of work, and that it asks while it has nothing to do', async () => {
  const { directory, clock } = await running();
  expect(directory.beats[0]).toMatchObject({ fetching: true, last_fetch_at: null });
  for (let i = 0; i < 20; i++) await clock.advance(1000);
  const beat = directory.beats.at(-1);
  expect(beat?.fetching).toBe(true);
  expect(clock.now() - Date.parse(beat?.last_fetch_at ?? '')).toBeLessThanOrEqual(4000);
});

it('tells that it does not get work although a slot is free', async () => {
  const { directory, clock, engine } = await running();
  await clock.advance(3000);
  engine.work = () => new Promise(() => undefined);
  await clock.advance(3000); // a call goes out, and is never answered
  const heard = directory.beats.at(-1)?.last_fetch_at;
  await clock.advance(14_000);
  expect(directory.beats.at(-1)).toMatchObject({ fetching: false, last_fetch_at: heard });
});

it('counts as fetching while it serves every queue and none has work, not while a call of it is never answered', async () => {
  const { directory, clock, engine } = await running({ config: { queues: [{ name: '*' }] } });
  engine.add({ queue: 'emails' });
  for (let i = 0; i < 40; i++) {
    await clock.advance(1000);
    expect(directory.beats.at(-1)).toMatchObject({ fetching: true });
  }
  engine.work = () => new Promise(() => undefined);
  engine.add({ queue: 'images' });
  await clock.advance(14_000);
  expect(directory.beats.at(-1)).toMatchObject({ fetching: false });
});

it('counts as fetching while all its slots are taken, however long', async () => {
  const handler = held();
  const { directory, clock, engine, worker } = await running({ run: handler.run, config: { concurrency: 2 } });
  engine.add();
  engine.add();
  await eventually(() => handler.running === 2);
  for (let i = 0; i < 30; i++) await clock.advance(1000);
  expect(directory.beats.at(-1)).toMatchObject({ fetching: true });
  worker.quiet();
  await clock.advance(3000);
  expect(directory.beats.at(-1)).toMatchObject({ state: 'quiet', fetching: false });
  handler.release();
});

it('tells what it uses, and how far its tasks are, where they say so', async () => {
  const handler = held();
  const { directory, clock, engine } = await running({
    run: async (context) => {
      context.progress(40);
      await handler.run();
    },
  });
  engine.add();
  await eventually(() => handler.running === 1);
  await clock.advance(2000);
  const beat = directory.beats.at(-1);
  expect(beat?.running).toMatchObject([{ progress: 40 }]);
  expect(beat?.heap_bytes).toBeGreaterThan(1_000_000);
  expect(beat?.cpu_percent).toBeGreaterThanOrEqual(0);
  handler.release();
});

it('leaves the progress of a task that tells none open', async () => {
  const handler = held();
  const { directory, clock, engine } = await running({ run: handler.run });
  engine.add();
  await eventually(() => handler.running === 1);
  await clock.advance(2000);
  expect(directory.beats.at(-1)?.running).toMatchObject([{ progress: null }]);
  handler.release();
});

it('heartbeats of an older version are still read', () => {
  const task = {
    id: '01KA9Z6Q0MB0Q3T5V7X9YABCDE',
    task_type: 'email',
    queue: 'default',
    started_at: oldBeat().started_at,
  };
  const beat = Worker.parse(oldBeat({ running: [task] }));
  expect([beat.fetching, beat.last_fetch_at, beat.cpu_percent, beat.heap_bytes]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
