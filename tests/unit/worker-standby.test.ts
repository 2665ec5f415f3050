/** Workers that stand by: when, and what they do with tasks that are handed to them, on whatever way. */
import { describe, expect, it } from 'vitest';
import { eventually, held, settled, workerWorlds } from '../support/worker-world';

const { running } = workerWorlds();

describe('an idle worker of one queue', () => {
  it('stands by, and runs the task that is handed to it without asking for it', async () => {
    const handler = held();
    const { engine } = await running({ run: handler.run });
    await eventually(() => engine.standsBy('default'));
    const before = engine.calls.length;
    engine.add();
    await eventually(() => handler.running === 1);
    expect(engine.handed).toHaveLength(1);
    expect(engine.calls).toHaveLength(before);
  });

  it('stands by again with the call that settles', async () => {
    const { engine } = await running();
    for (let n = 1; n <= 3; n++) {
      await eventually(() => engine.standsBy('default'));
      const before = engine.calls.length;
      engine.add();
      await eventually(() => engine.ofStatus('completed').length === n && engine.standsBy('default'));
      expect([engine.handed.length, engine.calls.length - before]).toEqual([n, 1]);
    }
  });

  it('says so again every two seconds', async () => {
    const { engine, clock } = await running();
    await eventually(() => engine.standsBy('default'));
    const before = engine.calls.length;
    for (let n = 0; n < 3; n++) await clock.advance(2_000);
    await settled();
    const calls = engine.calls.slice(before);
    expect(calls.length).toBeGreaterThanOrEqual(2);
    for (const { standby } of calls) expect(standby).toMatchObject({ forMs: 2_500, stood: true });
  });

  it('does not stand by while it runs something', async () => {
    const handler = held();
    const { engine } = await running({ run: handler.run, config: { concurrency: 4 } });
    engine.add();
    await eventually(() => handler.running === 1);
    engine.add();
    await eventually(() => handler.running === 2);
    await settled();
    expect(engine.standsBy('default')).toBe(false);
  });

  it('runs a task that it hears of only by its next call', async () => {
    const { engine, clock } = await running();
    await eventually(() => engine.standsBy('default'));
    engine.loseHanded();
    const task = engine.add();
    await settled();
    expect(task.status).toBe('processing');
    await clock.advance(2_000);
    await eventually(() => task.status === 'completed');
  });

  it('runs a task once of which it hears twice', async () => {
    let runs = 0;
    const { engine } = await running({ run: () => void runs++ });
    await eventually(() => engine.standsBy('default'));
    const task = engine.add();
    await eventually(() => task.status === 'completed' && engine.standsBy('default'));
    const [handed] = engine.handed;
    if (handed === undefined) throw new Error('nothing was handed over');
    engine.handAgain(handed);
    await settled();
    expect(runs).toBe(1);
    expect(engine.standsBy('default')).toBe(true);
  });

  it('leaves alone what was handed to the process that had its name before', async () => {
    let runs = 0;
    const { engine } = await running({ run: () => void runs++ });
    await eventually(() => engine.standsBy('default'));
    engine.add();
    await eventually(() => runs === 1 && engine.standsBy('default'));
    const [handed] = engine.handed;
    if (handed === undefined) throw new Error('nothing was handed over');
    engine.handAgain({ ...handed, token: '99:n-before.h' });
    await settled();
    expect(runs).toBe(1);
  });
});

describe('a worker that does not stand by', () => {
  it('is one of several queues: a task in one must not wait for a task of another', async () => {
    const { engine } = await running({ config: { queues: [{ name: 'a' }, { name: 'b' }] } });
    const task = engine.add({ queue: 'a' });
    await eventually(() => task.status === 'completed');
    await settled();
    expect(engine.calls.every(({ standby }) => standby === undefined)).toBe(true);
  });

  it('is one of every queue, once it hears of a second one', async () => {
    const { engine } = await running({ config: { queues: [{ name: '*' }] } });
    const first = engine.add({ queue: 'a' });
    await eventually(() => first.status === 'completed' && engine.standsBy('a'));
    const second = engine.add({ queue: 'b' });
    await eventually(() => second.status === 'completed' && !engine.standsBy('a'));
    expect(engine.standsBy('b')).toBe(false);
  });

  it('is one that is quiet; what was handed to it as it became so runs', async () => {
    const { engine, worker } = await running();
    await eventually(() => engine.standsBy('default'));
    engine.loseHanded();
    const task = engine.add();
    worker.quiet();
    await eventually(() => task.status === 'completed');
    expect(engine.standsBy('default')).toBe(false);
    const next = engine.add();
    await settled();
    expect(next.status).toBe('pending');
  });

  it('is one that stops; what was handed to it as it began to goes back at no attempt', async () => {
    const { engine, worker } = await running();
    await eventually(() => engine.standsBy('default'));
    engine.loseHanded();
    const task = engine.add();
    await worker.stop();
    expect([task.status, task.attempts, engine.standsBy('default')]).toEqual(['pending', 0, false]);
  });
});
