import { describe, expect, it } from 'vitest';
import { eventually, held, settled, workerWorlds } from '../support/worker-world';

const { running } = workerWorlds();

describe('stopping', () => {
  it('takes no new tasks, lets running ones finish, and says goodbye', async () => {
    const handler = held();
    const { engine, worker, directory } = await running({ run: handler.run });
    const task = engine.add();
    await eventually(() => handler.running === 1);
    const stopped = worker.stop();
    const late = engine.add();
    await settled();
    expect(directory.goodbyes).toBe(0);
    handler.release();
    await stopped;
    expect(task.status).toBe('completed');
    expect(late.status).toBe('pending');
    expect(directory.goodbyes).toBe(1);
    expect(directory.beats.at(-1)?.state).toBe('stopping');
  });

  it('hands back what does not finish in time, and costs it no attempt', async () => {
    const { engine, worker, clock } = await running({
      run: ({ signal }) =>
        new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason as Error))),
      config: { shutdownTimeoutMs: 5_000 },
    });
    const task = engine.add();
    await eventually(() => worker.runningTasks().length === 1);
    const stopped = worker.stop();
    await clock.advance(4_900);
    expect(task.status).toBe('processing');
    await clock.advance(200);
    await stopped;
    expect(task).toMatchObject({ status: 'pending', attempts: 0, settle: { kind: 'release' } });
  });

  it('hands back also what ignores its signal, after the grace', async () => {
    const { engine, worker, clock } = await running({
      run: () => new Promise(() => undefined),
      config: { shutdownTimeoutMs: 1_000 },
    });
    const task = engine.add();
    await eventually(() => worker.runningTasks().length === 1);
    const stopped = worker.stop();
    for (let i = 0; i < 5; i++) await clock.advance(1_000);
    await stopped;
    expect(task).toMatchObject({ status: 'pending', attempts: 0 });
  });

  it('keeps the result of a task that finishes in its last second', async () => {
    const { engine, worker, clock } = await running({
      run: ({ signal }) => new Promise((done) => signal.addEventListener('abort', () => done('saved'))),
      config: { shutdownTimeoutMs: 1_000 },
    });
    const task = engine.add();
    await eventually(() => worker.runningTasks().length === 1);
    const stopped = worker.stop();
    await clock.advance(1_100);
    await stopped;
    expect(task).toMatchObject({ status: 'completed', result: 'saved' });
  });

  it('stops at once when asked a second time', async () => {
    const { engine, worker, clock } = await running({ run: () => new Promise(() => undefined) });
    const task = engine.add();
    await eventually(() => worker.runningTasks().length === 1);
    const stopped = worker.stop();
    await clock.advance(1_000);
    const before = clock.now();
    void worker.stopNow();
    await settled();
    await clock.advance(100);
    await stopped;
    expect(clock.now() - before).toBe(100);
    expect(task.status).toBe('pending');
  });

  it('ends also when Redis does not answer any more', async () => {
    const { engine, worker, clock } = await running();
    await settled();
    engine.fail('work', ...Array.from({ length: 100 }, () => 'refused' as const));
    engine.add();
    await settled();
    const stopped = worker.stop();
    for (let i = 0; i < 8; i++) await clock.advance(1_000);
    await stopped;
  });

  it('quiets on command of the directory, and finishes what runs', async () => {
    const handler = held();
    const { engine, directory, clock } = await running({ run: handler.run });
    const task = engine.add();
    await eventually(() => handler.running === 1);
    directory.commands.push('quiet');
    await clock.advance(2_000);
    const late = engine.add();
    handler.release();
    await eventually(() => task.status === 'completed');
    await clock.advance(4_000);
    expect(late.status).toBe('pending');
    expect(directory.beats.at(-1)).toMatchObject({ state: 'quiet', completed: 1, running: [] });
  });

  it('passes a stop of the directory on to the process', async () => {
    const { directory, clock, stopsAsked } = await running();
    directory.commands.push('stop');
    await clock.advance(2_000);
    expect(stopsAsked).toHaveLength(1);
  });
});

describe('heartbeats', () => {
  it('come at the start and every two seconds, and tell what runs', async () => {
    const handler = held();
    const { engine, directory, clock } = await running({
      run: handler.run,
      config: { queues: [{ name: 'default', weight: 2 }, { name: 'other' }] },
    });
    expect(directory.announced).toEqual([['job']]);
    expect(directory.beats).toHaveLength(1);
    const task = engine.add();
    await eventually(() => handler.running === 1);
    await clock.advance(2_000);
    expect(directory.beats).toHaveLength(2);
    expect(directory.beats[1]).toMatchObject({
      id: 'w-test',
      state: 'running',
      pid: process.pid,
      queues: [
        { name: 'default', weight: 2 },
        { name: 'other', weight: 1 },
      ],
      task_types: ['job'],
      running: [{ id: task.id, task_type: 'job', queue: 'default' }],
      blocked: false,
    });
    expect(directory.beats[1]?.memory_bytes).toBeGreaterThan(1e6);
    handler.release();
  });

  it('go on after an outage, and announce the types anew, as the store may be another', async () => {
    const { directory, clock } = await running();
    directory.failing = true;
    await clock.advance(6_000);
    directory.failing = false;
    await clock.advance(2_000);
    expect(directory.announced).toHaveLength(2);
    expect(directory.beats.length).toBeGreaterThanOrEqual(2);
  });
});
