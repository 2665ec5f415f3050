import { expect, it } from 'vitest';
import { StopWishes } from '#queue/kernel/stop-wishes';
import { ManualClock } from '../support/manual-clock';

it('takes a signal that comes by two ways for one, and a later one for a second wish', async () => {
  const clock = new ManualClock();
  const wishes = new StopWishes(clock);
  expect(wishes.next()).toBe('first');
  await clock.advance(100);
  expect(wishes.next()).toBe('echo');
  await clock.advance(200);
  expect(wishes.next()).toBe('again');
});
