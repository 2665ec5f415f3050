import { expect, it } from 'vitest';
import { Rounds, type RoundsOptions } from '#queue/kernel/rounds';
import { ManualClock, turn } from '../support/manual-clock';

function world(options: Partial<RoundsOptions> = {}) {
  const clock = new ManualClock();
  const faults: unknown[] = [];
  let passes = 0;
  const rounds = new Rounds({
    clock,
    everyMs: () => 1000,
    pass: async () => {
      passes++;
    },
    onFault: (error) => faults.push(error),
    ...options,
  });
  return { clock, rounds, faults, passes: () => passes };
}

it('makes a pass at once, and one after each pause', async () => {
  const { clock, rounds, passes } = world();
  await rounds.start();
  await rounds.start();
  await clock.advance(999);
  expect(passes()).toBe(1);
  await clock.advance(2001);
  expect(passes()).toBe(4);
  await rounds.stop();
  await clock.advance(5000);
  expect(passes()).toBe(4);
});

it('waits before the first pass where it should, and goes by the pause that there is now', async () => {
  const pauses = [100, 5000];
  const { clock, rounds, passes } = world({ firstMs: 50, everyMs: () => pauses.shift() ?? 5000 });
  await rounds.start();
  await clock.advance(49);
  expect(passes()).toBe(0);
  await clock.advance(1);
  expect(passes()).toBe(1);
  await clock.advance(100);
  expect(passes()).toBe(2);
  await clock.advance(4999);
  expect(passes()).toBe(2);
  await rounds.stop();
});

it('goes on after a pass that failed, and tells of it', async () => {
  let passes = 0;
  const { clock, rounds, faults } = world({
    pass: async () => {
      if (++passes === 1) throw new Error('bad');
    },
  });
  await rounds.start();
  await clock.advance(1000);
  expect(passes).toBe(2);
  expect(faults).toEqual([new Error('bad')]);
  await rounds.stop();
});

it('waits, when it is stopped, for the pass that runs, and tells nothing of how that ends', async () => {
  let fail: (error: Error) => void = () => undefined;
  const { rounds, faults } = world({
    pass: () =>
      new Promise((_, reject) => {
        fail = reject;
      }),
  });
  await rounds.start();
  let stopped = false;
  const stop = rounds.stop().then(() => {
    stopped = true;
  });
  await turn();
  expect(stopped).toBe(false);
  fail(new Error('broken off'));
  await stop;
  expect(faults).toEqual([]);
});

it('may be stopped before it begins, and makes no pass then', async () => {
  const { rounds, passes } = world();
  await rounds.stop();
  await rounds.start();
  await rounds.stop();
  expect(passes()).toBe(0);
});
