import { expect, it } from 'vitest';
import type { Queue } from '#queue/contract/queue';
import { oldestPending, verdictOf } from '../../src-renderer/views/overview/verdict';
import { statsOf, queueOf as wireQueue } from '../support/wire';

const queueOf = (change: Partial<Queue> = {}): Queue =>
  wireQueue('default', { eta_seconds: null, workers: 1, ...change });

it('calls it quiet only where nothing waits and nothing has failed', () => {
  expect(verdictOf(statsOf(), [queueOf()], 1)).toBe('All quiet: nothing waits');
  expect(verdictOf(statsOf({ failed: 7 }), [queueOf()], 1)).toBe('Nothing waits');
});

it('names the worst first: queues that are behind, then missing workers, then the longest wait', () => {
  const waiting = [queueOf({ oldest_pending_age: 2 }), queueOf({ name: 'emails', oldest_pending_age: 90, late: true })];
  expect(verdictOf(statsOf({ pending: 2 }), waiting, 0)).toBe('emails is behind');
  const patient = waiting.map((queue) => ({ ...queue, late: false }));
  expect(verdictOf(statsOf({ pending: 2 }), patient, 0)).toBe('2 tasks wait and no worker is connected');
  expect(verdictOf(statsOf({ pending: 2 }), patient, 1)).toBe('The oldest task waits 1m 30s');
  expect(oldestPending(waiting)).toEqual({ queue: 'emails', ms: 90_000, late: true });
  expect(oldestPending([])).toBeNull();
});
