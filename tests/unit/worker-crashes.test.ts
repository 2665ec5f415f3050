import { describe, expect, it } from 'vitest';
import { installCrashPolicy } from '#worker/crash-policy';
import { eventually, recordingLog, workerWorlds } from '../support/worker-world';

const { running, atEnd } = workerWorlds();

describe('exceptions that nobody caught', () => {
  /** Vitest has listeners of its own that would fail the run; ours stand alone in this test. */
  function alone(world: Awaited<ReturnType<typeof running>>) {
    const fatal: unknown[] = [];
    const records: Parameters<typeof recordingLog>[0] = [];
    const events = ['unhandledRejection', 'uncaughtException'] as const;
    const others = events.map((event) => [event, process.rawListeners(event)] as const);
    for (const event of events) process.removeAllListeners(event);
    const undo = installCrashPolicy({
      log: recordingLog(records),
      blame: (error) => world.worker.blame(error),
      onFatal: (error) => fatal.push(error),
    });
    atEnd(() => {
      undo();
      for (const [event, listeners] of others)
        for (const listener of listeners) process.on(event, listener as () => void);
    });
    return { fatal, records };
  }

  it.each<[string, () => void]>([
    ['a rejection that nobody awaits', () => void Promise.reject(new Error('stray'))],
    [
      'a timer that throws',
      () =>
        void setTimeout(() => {
          throw new Error('stray');
        }, 1),
    ],
    [
      'a tick that throws',
      () =>
        process.nextTick(() => {
          throw new Error('stray');
        }),
    ],
  ])('fail the task that they come from: %s', async (_, misbehave) => {
    const world = await running({
      run: () => {
        misbehave();
        return new Promise(() => undefined);
      },
    });
    const { fatal } = alone(world);
    const task = world.engine.add();
    await eventually(() => task.settle !== null);
    expect(task).toMatchObject({ status: 'retrying', error: { message: 'stray' } });
    expect(fatal).toEqual([]);
    expect(world.worker.runningTasks()).toEqual([]);
  });

  it('after the task has ended are logged with its id, and the process lives', async () => {
    const world = await running({
      run: () => {
        setTimeout(() => void Promise.reject(new Error('straggler')), 5);
        return 'ok';
      },
    });
    const { fatal } = alone(world);
    const task = world.engine.add();
    await eventually(() => world.logs.some(({ fields }) => fields.taskId === task.id));
    expect(task.status).toBe('completed');
    expect(fatal).toEqual([]);
  });

  it('end the process where they come from no task; a rejection is only logged', async () => {
    const world = await running();
    const { fatal, records } = alone(world);
    void Promise.reject(new Error('homeless'));
    await eventually(() => records.length === 1);
    expect(fatal).toEqual([]);
    setTimeout(() => {
      throw new Error('homeless');
    }, 1);
    await eventually(() => fatal.length === 1);
  });
});
