import { describe, expect, it } from 'vitest';
import { eventually, held, settled, workerWorlds } from '../support/worker-world';

const { running } = workerWorlds();

describe('claiming', () => {
  it('runs every pending task once and settles all of them', async () => {
    const { engine } = await running();
    for (let i = 0; i < 100; i++) engine.add();
    await eventually(() => engine.ofStatus('completed').length === 100);
    expect([...engine.tasks.values()].every((task) => task.attempts === 1 && task.result === 'done')).toBe(true);
  });

  it('never runs more than its slots at once, and fills them', async () => {
    const handler = held();
    const { engine } = await running({ run: handler.run, config: { concurrency: 3 } });
    for (let i = 0; i < 10; i++) engine.add();
    await eventually(() => handler.running === 3);
    for (let round = 0; round < 10; round++) {
      handler.release(1);
      await settled();
    }
    handler.release();
    await eventually(() => {
      handler.release();
      return engine.ofStatus('completed').length === 10;
    });
    expect(handler.most).toBe(3);
  });

  it('sends at most two calls of a queue at a time, each with a nonce of its own', async () => {
    const { engine } = await running({ config: { concurrency: 50 } });
    let out = 0;
    let most = 0;
    const work = engine.work.bind(engine);
    engine.work = async (call) => {
      most = Math.max(most, ++out);
      return work(call).finally(() => out--);
    };
    for (let i = 0; i < 500; i++) engine.add();
    await eventually(() => engine.ofStatus('completed').length === 500);
    expect(most).toBeLessThanOrEqual(2);
    expect(new Set(engine.calls.map(({ nonce }) => nonce)).size).toBe(engine.calls.length);
  });

  it('shares the settles that wait between its two calls, so that neither waits for the other', async () => {
    const handler = held();
    const { engine } = await running({ run: handler.run, config: { concurrency: 10 } });
    for (let i = 0; i < 30; i++) engine.add();
    await eventually(() => handler.running === 10);
    await settled();
    const before = engine.calls.length;
    handler.release(10);
    await eventually(() => engine.ofStatus('completed').length === 10);
    const [first, second] = engine.calls.slice(before);
    expect(first?.settles.length).toBe(5);
    expect(second?.settles.length).toBeGreaterThan(0);
    handler.release();
    await eventually(() => {
      handler.release();
      return engine.ofStatus('completed').length === 30;
    });
  });

  it('settles and claims in the same calls, so that batches grow with the load', async () => {
    const { engine } = await running({ config: { concurrency: 50 } });
    for (let i = 0; i < 1_000; i++) engine.add();
    await eventually(() => engine.ofStatus('completed').length === 1_000);
    expect(engine.calls.length).toBeLessThan(90);
  });

  it('needs one call for each task at one slot: settle and next claim ride together', async () => {
    const { engine } = await running({ config: { concurrency: 1 } });
    for (let i = 0; i < 20; i++) engine.add();
    await eventually(() => engine.ofStatus('completed').length === 20);
    expect(engine.calls.length).toBeLessThanOrEqual(23);
  });

  it('takes the types that it has handlers for, and leaves others', async () => {
    const { engine } = await running();
    const other = engine.add({ type: 'foreign' });
    const mine = engine.add();
    await eventually(() => mine.status === 'completed');
    expect(other.status).toBe('pending');
  });

  it('gives queues their share by weight', async () => {
    const started: string[] = [];
    const { engine } = await running({
      config: { concurrency: 1, queues: [{ name: 'heavy', weight: 3 }, { name: 'light' }] },
      run: ({ task }) => void started.push(task.queue),
    });
    for (let i = 0; i < 40; i++) {
      engine.add({ queue: 'heavy' });
      engine.add({ queue: 'light' });
    }
    await eventually(() => started.length >= 80);
    const heavy = started.slice(0, 40).filter((queue) => queue === 'heavy').length;
    expect(heavy).toBeGreaterThanOrEqual(28);
    expect(heavy).toBeLessThanOrEqual(32);
  });
});

describe('idleness', () => {
  it('makes no more than one call a queue in two seconds, and waits in between', async () => {
    const { engine, clock } = await running();
    await settled();
    const before = engine.calls.length;
    for (let i = 0; i < 10; i++) await clock.advance(2_000);
    expect(engine.calls.length - before).toBeLessThanOrEqual(11);
    expect(engine.waits.every((ms) => ms === 2_000)).toBe(true);
  });

  it('starts a new task at once when it is woken, without time passing', async () => {
    const { engine, clock } = await running();
    await settled();
    const at = clock.now();
    const task = engine.add();
    await eventually(() => task.status === 'completed');
    expect(clock.now()).toBe(at);
  });

  it('wakes by itself when a task comes due', async () => {
    const { engine, clock } = await running();
    const task = engine.add({ status: 'scheduled', dueAt: clock.now() + 700 });
    await settled();
    await clock.advance(690);
    await settled();
    expect(task.status).toBe('scheduled');
    await clock.advance(20);
    await eventually(() => task.status === 'completed');
  });

  it('does not ask in a tight loop while all that is pending is for other workers', async () => {
    const { engine, clock } = await running();
    await settled();
    engine.add({ type: 'foreign' });
    await settled();
    const before = engine.calls.length;
    for (let i = 0; i < 100; i++) await clock.advance(100);
    expect(engine.calls.length - before).toBeLessThan(25);
  });

  it('goes on after waiting for work has failed', async () => {
    const { engine, clock } = await running();
    await settled();
    engine.fail('waitForWork', 'refused', 'refused', 'refused');
    await clock.advance(2_000);
    for (let i = 0; i < 10; i++) await clock.advance(1_000);
    const task = engine.add();
    await eventually(() => task.status === 'completed');
  });
});

describe('calls whose outcome is unknown', () => {
  it('repeats a call with the very same arguments, and runs nothing twice', async () => {
    let runs = 0;
    const { engine, clock } = await running({ run: () => void runs++ });
    await settled();
    engine.fail('work', 'lost', 'refused', 'lost');
    const task = engine.add();
    await settled();
    for (let i = 0; i < 6; i++) await clock.advance(2_000);
    await eventually(() => task.status === 'completed');
    expect(runs).toBe(1);
    const failed = engine.calls.findIndex((call, index) => engine.calls[index + 1]?.nonce === call.nonce);
    expect(engine.calls[failed + 1]).toBe(engine.calls[failed]);
    expect(engine.calls.filter(({ nonce }) => nonce === engine.calls[failed]?.nonce).length).toBeGreaterThanOrEqual(2);
  });

  it('keeps a settle, and its lease, through an outage of ten minutes', async () => {
    const handler = held();
    const { engine, clock } = await running({ run: handler.run });
    const task = engine.add();
    await eventually(() => handler.running === 1);
    engine.fail('work', ...Array.from({ length: 5_000 }, () => 'refused' as const));
    handler.release();
    for (let i = 0; i < 60; i++) await clock.advance(10_000);
    expect(task.status).toBe('processing');
    expect(engine.reap()).toEqual([]);
    engine.heal();
    await clock.advance(2_000);
    await eventually(() => task.status === 'completed');
    expect(task.attempts).toBe(1);
  });

  it('waits a little longer from one repetition to the next', async () => {
    const { engine, clock } = await running();
    await settled();
    engine.fail('work', ...Array.from({ length: 100 }, () => 'refused' as const));
    engine.add();
    await settled();
    const before = engine.calls.length;
    await clock.advance(10_000);
    const ofOneLane = engine.calls.slice(before).filter(({ lane }) => lane === '0');
    expect(ofOneLane.length).toBeGreaterThan(10);
    expect(ofOneLane.length).toBeLessThan(45); // soon half a second at most, so that work goes on soon after an outage
  });
});

describe('leases', () => {
  it('are extended every quarter of their length while the task runs, and not after', async () => {
    const handler = held();
    const { engine, clock } = await running({ run: handler.run, config: { leaseMs: 4_000 } });
    const task = engine.add();
    await eventually(() => handler.running === 1);
    for (let i = 0; i < 40; i++) {
      await clock.advance(500);
      expect(engine.reap()).toEqual([]);
    }
    expect(engine.extended.filter(({ held: leases }) => leases.length > 0).length).toBeGreaterThanOrEqual(18);
    handler.release();
    await eventually(() => task.status === 'completed');
    const before = engine.extended.length;
    await clock.advance(4_000);
    expect(engine.extended.slice(before).flatMap(({ held: leases }) => leases)).toEqual([]);
  });

  it('that are lost abort the handler, settle nothing and free the slot', async () => {
    const reasons: unknown[] = [];
    const { engine, clock, worker } = await running({
      run: ({ signal }) =>
        new Promise((_, fail) =>
          signal.addEventListener('abort', () => fail(reasons[reasons.push(signal.reason) - 1])),
        ),
    });
    const task = engine.add();
    await eventually(() => worker.runningTasks().length === 1);
    engine.steal(task.id);
    await clock.advance(3_000);
    await eventually(() => worker.runningTasks().length === 0);
    expect(reasons).toEqual([expect.objectContaining({ name: 'LeaseLostError' })]);
    expect(engine.calls.flatMap(({ settles }) => settles)).toEqual([]);
    expect(task.settle).toBeNull();
  });

  it('bring the word that someone cancels, and the task ends as cancelled', async () => {
    const { engine, clock, worker } = await running({
      run: ({ signal }) => new Promise((done) => signal.addEventListener('abort', () => done('too late'))),
    });
    const task = engine.add();
    await eventually(() => worker.runningTasks().length === 1);
    engine.cancel(task.id);
    await clock.advance(3_000);
    await eventually(() => task.status === 'cancelled');
  });
});
