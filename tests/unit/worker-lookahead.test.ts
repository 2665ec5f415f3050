/** Tasks that are claimed ahead of their slots: when, how many, and that nobody lacks them. */
import { describe, expect, it } from 'vitest';
import { eventually, held, settled, workerWorlds } from '../support/worker-world';

const { running } = workerWorlds();
const PROVEN = 100;
const BACKLOG = 400;

/** A worker of one slot that has ended a hundred fast tasks; from then on `run` has its tasks. */
async function proven(run: () => unknown, config: { concurrency?: number; leaseMs?: number } = {}) {
  let fast = true;
  const world = await running({ run: () => (fast ? 'fast' : run()), config: { concurrency: 1, ...config } });
  for (let i = 0; i < PROVEN; i++) world.engine.add();
  await eventually(() => world.engine.ofStatus('completed').length === PROVEN);
  await settled();
  fast = false;
  return { ...world, faster: () => (fast = true) };
}
/** A long backlog comes. Its first task is handed to the worker that stands by; with the ends of two it has called for more. */
async function backlogFor(world: Awaited<ReturnType<typeof proven>>, handler: ReturnType<typeof held>) {
  for (let i = 0; i < BACKLOG; i++) world.engine.add();
  for (let ended = 0; ended < 2; ended++) {
    await eventually(() => handler.running === 1);
    handler.release();
    await settled();
  }
  await eventually(() => handler.running === 1 && processing(world) > 1);
  await settled();
}
const processing = (world: { engine: { ofStatus: (status: 'processing') => unknown[] } }) =>
  world.engine.ofStatus('processing').length;

describe('a worker claims what it cannot start yet', () => {
  it('not before a hundred attempts in a row were fast', async () => {
    const handler = held();
    let ended = 0;
    const { engine } = await running({
      run: () => (++ended < PROVEN ? 'fast' : handler.run()),
      config: { concurrency: 1 },
    });
    for (let i = 0; i < BACKLOG; i++) engine.add();
    await eventually(() => handler.running === 1);
    await settled();
    expect(engine.ofStatus('processing')).toHaveLength(1);
    expect(engine.calls.every(({ ahead }) => ahead === 0)).toBe(true);
  });

  it('then holds eight more out of a long backlog, runs one at a time, and hands back in 25 ms what waits', async () => {
    const handler = held();
    const world = await proven(handler.run);
    await backlogFor(world, handler);
    expect(processing(world)).toBeLessThanOrEqual(9);
    await world.clock.advance(24);
    expect(processing(world)).toBeGreaterThan(1);
    await world.clock.advance(2);
    await eventually(() => processing(world) === 1);
    expect([handler.running, handler.most]).toEqual([1, 1]);
    // What was handed back has lost nothing, and nothing more is held.
    const waiting = world.engine.ofStatus('pending');
    expect(waiting).toHaveLength(BACKLOG - 3);
    await world.clock.advance(1000);
    expect(processing(world)).toBe(1);
  });

  it('not out of a short backlog: others may have slots for it', async () => {
    const handler = held();
    const world = await proven(handler.run);
    for (let i = 0; i < 20; i++) world.engine.add();
    await eventually(() => handler.running === 1);
    await settled();
    expect(processing(world)).toBe(1);
  });

  it('and gives back all of it when it is told to be quiet, or stops', async () => {
    for (const end of ['quiet', 'stop'] as const) {
      const handler = held();
      const world = await proven(handler.run);
      await backlogFor(world, handler);
      const stopped = end === 'quiet' ? world.worker.quiet() : world.worker.stop();
      await eventually(() => processing(world) === 1);
      handler.release();
      await stopped;
      await eventually(() => processing(world) === 0);
      expect(world.engine.ofStatus('pending')).toHaveLength(BACKLOG - 3);
    }
  });
});
