import { describe, expect, it } from 'vitest';
import { LIMITS } from '#queue/contract/limits';
import { eventually, held, settled, workerWorlds } from '../support/worker-world';

const { running, ended } = workerWorlds();

describe('progress and logs', () => {
  it('are sent before the settle', async () => {
    const { engine } = await running({
      run: async ({ progress, log }) => {
        await progress(10, 'reading');
        log.info('one', { rows: 3, big: 1n });
        log.error('two');
        await progress(90, 'writing');
      },
    });
    const task = engine.add();
    await eventually(() => task.status === 'completed');
    expect(engine.order).toEqual([`report:${task.id}`, `complete:${task.id}`]);
    expect(task).toMatchObject({ progress: 90, progressMessage: 'writing' });
    expect(task.logs).toEqual([
      { level: 'info', message: 'one {"rows":3,"big":"1"}', attempt: 1 },
      { level: 'error', message: 'two', attempt: 1 },
    ]);
  });

  it('travel at most four times a second, however often they are reported', async () => {
    const { engine, clock } = await running({
      run: async ({ progress }) => {
        for (let i = 0; i < 100; i++) {
          await progress(i);
          await clock.sleep(20);
        }
      },
    });
    const task = engine.add();
    for (let i = 0; i < 150; i++) await clock.advance(20);
    await eventually(() => task.status === 'completed');
    expect(engine.reports.length).toBeGreaterThanOrEqual(7);
    expect(engine.reports.length).toBeLessThanOrEqual(11);
  });

  it.each([
    ['back', [60, 20], 60],
    ['below 0', [-5], 0],
    ['above 100', [7_000], 100],
  ])('never go %s', async (_, percents, kept) => {
    const task = await ended({
      run: async ({ progress }) => {
        for (const percent of percents) await progress(percent, `at ${percent}`);
      },
    });
    expect(task).toMatchObject({ progress: kept, progressMessage: `at ${percents.at(-1)}` });
  });

  it('that are on their way when the attempt ends are answered before its settle goes out', async () => {
    const handler = held();
    const { engine } = await running({
      run: async ({ progress }) => {
        await progress(50);
        await handler.run();
      },
    });
    let answer = () => undefined as unknown;
    const report = engine.report.bind(engine);
    engine.report = async (queue, reports) => {
      await new Promise((go) => {
        answer = () => go(null);
      });
      return report(queue, reports);
    };
    const task = engine.add();
    await eventually(() => handler.running === 1);
    await settled();
    handler.release();
    await settled();
    expect(task.settle).toBeNull();
    answer();
    await eventually(() => task.status === 'completed');
    expect(engine.order).toEqual([`report:${task.id}`, `complete:${task.id}`]);
  });

  it.each([Number.NaN, '50', undefined])('of %s are a fault of the handler', async (percent) => {
    const task = await ended({ run: ({ progress }) => progress(percent as number) });
    expect(task).toMatchObject({ status: 'retrying', error: { name: 'TypeError' } });
  });

  it('are bounded: long lines are cut, and the newest lines are kept', async () => {
    const { engine } = await running({
      run: ({ log }) => {
        for (let i = 0; i < LIMITS.logLines + 50; i++) log.debug(`line ${i}`);
        log.warn('z'.repeat(100_000));
      },
    });
    const task = engine.add();
    await eventually(() => task.status === 'completed');
    expect(task.logs).toHaveLength(LIMITS.logLines);
    expect(task.logs[0]?.message).toBe('line 51');
    expect(task.logs.at(-1)?.message).toHaveLength(LIMITS.logLineLength);
  });

  it('are sent again after a call that failed, and the settle waits for them', async () => {
    const { engine, clock } = await running({ run: ({ log }) => log.info('hello') });
    engine.fail('report', 'refused', 'refused');
    const task = engine.add();
    await settled();
    expect(task.settle).toBeNull();
    for (let i = 0; i < 5; i++) await clock.advance(200);
    await eventually(() => task.status === 'completed');
    expect(task.logs.map(({ message }) => message)).toEqual(['hello']);
  });

  it('are given up when they cannot be sent for as long as a lease, and the task is settled all the same', async () => {
    const { engine, clock } = await running({ run: ({ log }) => log.info('hello'), config: { leaseMs: 4_000 } });
    engine.fail('report', ...Array.from({ length: 1_000 }, () => 'refused' as const));
    const task = engine.add();
    await settled();
    for (let i = 0; i < 10; i++) await clock.advance(1_000);
    await eventually(() => task.status === 'completed');
  });

  it('tell of a lost lease', async () => {
    const { engine, clock, worker } = await running({
      config: { leaseMs: 600_000 },
      run: async ({ progress, signal }) => {
        while (!signal.aborted) {
          await progress(1);
          await clock.sleep(100);
        }
        throw signal.reason;
      },
    });
    const task = engine.add();
    await eventually(() => worker.runningTasks().length === 1);
    engine.steal(task.id);
    for (let i = 0; i < 10; i++) await clock.advance(100);
    await eventually(() => worker.runningTasks().length === 0);
    expect(task.settle).toBeNull();
  });

  it('after the end of the attempt are dropped', async () => {
    const { engine, clock } = await running({
      run: ({ log, progress }) => {
        void clock.sleep(1_000).then(() => {
          log.info('too late');
          return progress(77);
        });
        return 'ok';
      },
    });
    const task = engine.add();
    await eventually(() => task.status === 'completed');
    await clock.advance(2_000);
    expect(engine.reports).toEqual([]);
  });
});
