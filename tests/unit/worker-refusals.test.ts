import { describe, expect, it } from 'vitest';
import { eventually, settled, workerWorlds } from '../support/worker-world';

const { running } = workerWorlds();
const QUEUES = [
  { name: 'hurt', weight: 1 },
  { name: 'well', weight: 1 },
];

describe('a queue that refuses its calls', () => {
  it('keeps no slot from the others, and is asked now and then until it is well', async () => {
    const { engine, clock, logs } = await running({ config: { queues: QUEUES, concurrency: 1 } });
    await settled();
    engine.damage('hurt');
    const stuck = engine.add({ queue: 'hurt' });
    for (let n = 0; n < 20; n++) {
      const task = engine.add({ queue: 'well' });
      await eventually(() => task.status === 'completed');
    }
    const before = engine.calls.length;
    await clock.advance(10_000);
    expect(engine.calls.slice(before).filter(({ queue }) => queue === 'hurt').length).toBeLessThan(25);
    expect(logs.filter(({ message }) => message.startsWith('a work call failed'))).toHaveLength(1);
    engine.heal();
    await clock.advance(3_000);
    await eventually(() => stuck.status === 'completed');
  });

  it('gets its settles when it is well, and each once', async () => {
    let go = (): void => undefined;
    const { engine, clock, worker } = await running({
      config: { queues: QUEUES, concurrency: 1 },
      run: ({ task }) => (task.queue === 'hurt' ? new Promise<void>((done) => (go = done)) : 'ok'),
    });
    const task = engine.add({ queue: 'hurt' });
    await eventually(() => worker.runningTasks().length === 1);
    engine.damage('hurt');
    go();
    const other = engine.add({ queue: 'well' });
    await eventually(() => other.status === 'completed');
    expect(task.status).toBe('processing');
    engine.heal();
    await clock.advance(3_000);
    await eventually(() => task.status === 'completed');
    expect(task.attempts).toBe(1);
  });
});
