import { describe, expect, it } from 'vitest';
import type { Queue } from '#queue/contract/queue';
import { etaWords } from '../../src-renderer/stores/queue-trouble';
import { compareQueues, groupByPrefix } from '../../src-renderer/views/queues/queue-order';
import { drainWith, movementWords, prefixOf } from '../../src-renderer/views/queues/queue-words';
import { queueOf } from '../support/wire';

const waiting = (pending: number, more: Partial<Queue> = {}): Queue => {
  const queue = queueOf('payments');
  return { ...queue, workers: 1, depth: { ...queue.depth, pending }, ...more };
};

describe('the ETA of a queue', () => {
  it('is a duration, or the word for why there is none', () => {
    expect(etaWords(waiting(0)).text).toBe('–');
    expect(etaWords(waiting(5, { paused: true })).text).toBe('paused');
    expect(etaWords(waiting(100, { rate_in: 14.1, rate_out: 6.2, eta_seconds: null })).text).toBe('never');
    expect(etaWords(waiting(100, { rate_in: 1, rate_out: 2, eta_seconds: 100 })).text).toBe('1m 40s');
  });

  it('is steady only where in and out differ by less than 5 %, and nothing is late', () => {
    const even = { rate_in: 100, rate_out: 104, eta_seconds: 3000 };
    expect(etaWords(waiting(10, even)).text).toBe('steady');
    expect(etaWords(waiting(10, { ...even, rate_out: 106 })).text).not.toBe('steady');
    expect(etaWords(waiting(10, { ...even, late: true })).text).not.toBe('steady');
    expect(etaWords(waiting(10, { rate_in: 0, rate_out: 0, eta_seconds: null, oldest_pending_age: 60 })).text).toBe(
      'never',
    );
  });
});

it('says how a queue moves', () => {
  expect(movementWords(waiting(10, { rate_in: 14.1, rate_out: 6.2, eta_seconds: null }))).toBe(
    'grows by 7.9/s, does not drain',
  );
  expect(movementWords(waiting(10, { rate_in: 1, rate_out: 3, eta_seconds: 5 }))).toBe(
    'shrinks by 2.0/s, empty in 5.0 s',
  );
  expect(movementWords(waiting(38, { paused: true }))).toBe('paused, 38 wait');
});

it('tells what other numbers of slots would change, and nothing where nothing goes out', () => {
  const queue = waiting(100, { rate_in: 5, rate_out: 4, running: 2 });
  expect(drainWith(2, queue)).toBe('never');
  expect(drainWith(5, queue)).toBe(20);
  expect(drainWith(5, { ...queue, running: 0 })).toBeNull();
  expect(drainWith(5, { ...queue, rate_out: 0 })).toBeNull();
});

describe('the order of queues', () => {
  const named = (name: string, pending: number): Queue => ({ ...waiting(pending), name });

  it('is by a column, and by name among those alike', () => {
    const queues = [named('b', 1), named('c', 5), named('a', 1)];
    const names = (column: string, descending: boolean) =>
      [...queues].sort(compareQueues({ column, descending })).map(({ name }) => name);
    expect(names('pending', true)).toEqual(['c', 'a', 'b']);
    expect(names('pending', false)).toEqual(['a', 'b', 'c']);
    expect(names('name', true)).toEqual(['c', 'b', 'a']);
  });

  it('puts queues of one prefix under their sum, and leaves a single one alone', () => {
    expect(prefixOf('payments.eu')).toBe('payments');
    const rows = groupByPrefix([named('payments.eu', 3), named('emails', 1), named('payments.us', 4)]);
    expect(rows.map((row) => (row.kind === 'group' ? `${row.prefix}: ${row.depth.pending}` : row.queue.name))).toEqual([
      'payments: 7',
      'payments.eu',
      'payments.us',
      'emails',
    ]);
  });
});
