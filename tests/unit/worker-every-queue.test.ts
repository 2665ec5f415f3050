import { describe, expect, it } from 'vitest';
import { eventually, held, settled, workerWorlds } from '../support/worker-world';

const { running } = workerWorlds();
const everyQueue = [{ name: '*' }];
const completed = (task: { status: string }) => () => task.status === 'completed';

describe('a worker of every queue', () => {
  it('runs tasks of queues that it has never heard of, without time passing', async () => {
    const { engine, clock } = await running({ config: { queues: everyQueue } });
    await settled();
    const at = clock.now();
    for (const queue of ['emails', 'images']) {
      await eventually(completed(engine.add({ queue })), `the first of ${queue}`);
      await eventually(completed(engine.add({ queue })), `the second of ${queue}`);
    }
    expect(clock.now()).toBe(at);
  });

  it('finds what was waiting when it started', async () => {
    const { engine } = await running({ config: { queues: [{ name: 'named' }] } });
    const task = engine.add({ queue: 'before' });
    const other = await running({ config: { queues: everyQueue } });
    other.engine.add({ queue: 'before' });
    await settled();
    expect(task.status).toBe('pending');
    expect(other.engine.ofStatus('completed')).toHaveLength(1);
  });

  it('keeps the leases of tasks in such queues, each with calls of its own queue', async () => {
    const handler = held();
    const { engine, clock } = await running({ run: handler.run, config: { queues: everyQueue, leaseMs: 4_000 } });
    engine.add({ queue: 'emails' });
    engine.add({ queue: 'images' });
    await eventually(() => handler.running === 2);
    for (let i = 0; i < 20; i++) {
      await clock.advance(500);
      expect(engine.reap()).toEqual([]);
    }
    expect(new Set(engine.extended.map(({ queue }) => queue))).toEqual(new Set(['emails', 'images']));
    handler.release();
    await eventually(() => engine.ofStatus('completed').length === 2);
  });

  it('shares its slots by weight: what the list names has its own, all others one each', async () => {
    const started: string[] = [];
    const { engine } = await running({
      config: { concurrency: 1, queues: [{ name: 'heavy', weight: 3 }, { name: '*' }] },
      run: ({ task }) => void started.push(task.queue),
    });
    await settled();
    for (let i = 0; i < 60; i++) for (const queue of ['heavy', 'a', 'b']) engine.add({ queue });
    await eventually(() => started.length >= 180);
    const first = started.slice(0, 60);
    const of = (queue: string) => first.filter((name) => name === queue).length;
    expect(of('heavy')).toBeGreaterThanOrEqual(33);
    expect(of('a')).toBeGreaterThanOrEqual(9);
    expect(of('b')).toBeGreaterThanOrEqual(9);
  });

  it('gives a queue that gets work its share while another one keeps all slots taken', async () => {
    const handler = held();
    const { engine } = await running({ run: handler.run, config: { concurrency: 2, queues: everyQueue } });
    for (let i = 0; i < 50; i++) engine.add({ queue: 'busy' });
    await eventually(() => handler.running === 2);
    const task = engine.add({ queue: 'late' });
    for (let i = 0; i < 10 && task.status !== 'completed'; i++) {
      handler.release(1);
      await settled();
    }
    expect(engine.ofStatus('pending').length).toBeGreaterThan(30);
    handler.release();
    await eventually(completed(task));
  });

  it('asks none of hundreds of idle queues, and forgets them', async () => {
    const { engine, clock, worker } = await running({ config: { queues: everyQueue, concurrency: 50 } });
    await settled();
    for (let i = 0; i < 300; i++) engine.add({ queue: `q${i}` });
    await eventually(() => engine.ofStatus('completed').length === 300);
    for (let calls = -1; calls < engine.calls.length; await settled()) calls = engine.calls.length; // old markers
    const before = engine.calls.length;
    for (let i = 0; i < 60; i++) await clock.advance(2_000);
    expect(engine.calls.length - before).toBeLessThan(10);
    expect(engine.waitedFor.length).toBeLessThanOrEqual(300);
    engine.announce('q1');
    await settled();
    await clock.advance(2_000);
    expect(engine.waitedFor).toEqual(['q1']);
    expect(worker.runningTasks()).toEqual([]);
  });

  it('takes a forgotten queue up again when it is told of it', async () => {
    const { engine, clock } = await running({ config: { queues: everyQueue } });
    for (const queue of ['rare', 'other']) await eventually(completed(engine.add({ queue })));
    for (let i = 0; i < 60; i++) await clock.advance(2_000);
    const task = engine.add({ queue: 'rare' });
    await settled();
    expect(task.status).toBe('pending');
    engine.announce('rare');
    await eventually(completed(task));
  });

  it('tells the directory which queues those are, the latest first', async () => {
    const { engine, clock, directory } = await running({
      config: { queues: [{ name: 'emails', weight: 5 }, { name: '*' }] },
    });
    await eventually(completed(engine.add({ queue: 'a' })));
    await eventually(completed(engine.add({ queue: 'b' })));
    await clock.advance(2_000);
    expect(directory.beats.at(-1)).toMatchObject({
      queues: [
        { name: 'emails', weight: 5 },
        { name: '*', weight: 1 },
      ],
      serving: ['b', 'a'],
    });
  });

  it('hears of nothing any more once it is quiet', async () => {
    const { engine, worker } = await running({ config: { queues: everyQueue } });
    worker.quiet();
    const task = engine.add({ queue: 'emails' });
    await settled();
    expect(task.status).toBe('pending');
    expect(engine.calls).toEqual([]);
  });
});

describe('a worker of named queues', () => {
  it('looks into a queue that was empty, while another one keeps all slots taken', async () => {
    const handler = held();
    const queues = [{ name: 'busy' }, { name: 'late' }];
    const { engine, clock } = await running({ run: handler.run, config: { concurrency: 1, queues } });
    for (let i = 0; i < 50; i++) engine.add({ queue: 'busy' });
    await eventually(() => handler.running === 1);
    for (let i = 0; i < 5; i++) {
      handler.release(1);
      await settled();
    }
    const task = engine.add({ queue: 'late' });
    for (let i = 0; i < 20 && task.status === 'pending'; i++) {
      await clock.advance(500);
      handler.release(1);
      await settled();
    }
    expect(task.status).not.toBe('pending');
    handler.release();
  });

  it('does not lose a wake-up that comes while an empty answer is on its way', async () => {
    const { engine, clock } = await running({ config: { concurrency: 1 } });
    const planned = engine.add({ status: 'scheduled', dueAt: clock.now() + 700 });
    await settled();
    Object.assign(planned, { status: 'cancelled', dueAt: null }); // the worker still asks when it would have come due
    const work = engine.work.bind(engine);
    let late: ReturnType<typeof engine.add> | undefined;
    engine.work = async (call) => {
      const reply = await work(call);
      if (late === undefined) {
        late = engine.add();
        await settled();
      }
      return reply;
    };
    await clock.advance(700);
    await eventually(() => late?.status === 'completed', 'the late task');
  });
});
