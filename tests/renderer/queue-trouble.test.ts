import { describe, expect, it } from 'vitest';
import { type Queue, sumCounts } from '#queue/contract/queue';
import {
  etaWords,
  failingTone,
  lateTone,
  troubleScore,
  troublesOf,
  worstFirst,
} from '../../src-renderer/stores/queue-trouble';
import { queueOf } from '../support/wire';
import { workerOf } from './support';

const pending = (count: number, more: Partial<Queue> = {}): Partial<Queue> => ({
  depth: { ...sumCounts([]), pending: count },
  workers: 2,
  fetching: 2,
  oldest_pending_age: 3,
  ...more,
});
const limits = (target_age: number): Queue['limits'] => ({
  concurrency: null,
  rate: null,
  target_age,
  aging: null,
  durability: null,
  shards: 1,
});

describe('time to drain in words', () => {
  const words = (more: Partial<Queue>, count = 50) => etaWords(queueOf('payments', pending(count, more)));

  it('is a duration where more leaves than comes', () => {
    expect(words({ rate_in: 1, rate_out: 2, eta_seconds: 373 })).toEqual({ text: '6m 13s', tone: 'plain' });
  });

  it('is never, and alarming, where more comes than leaves', () => {
    expect(words({ rate_in: 14.1, rate_out: 6.2, eta_seconds: null })).toEqual({ text: 'never', tone: 'bad' });
  });

  it('does not cry over a handful of tasks', () => {
    expect(words({ rate_in: 0.2, rate_out: 0.1, eta_seconds: null }, 2)).toEqual({ text: 'never', tone: 'plain' });
  });

  it('is steady where both are the same and nothing is late', () => {
    expect(words({ rate_in: 10, rate_out: 10.4, eta_seconds: 125 }).text).toBe('steady');
    expect(words({ rate_in: 10, rate_out: 10, eta_seconds: null, late: true })).toEqual({ text: 'never', tone: 'bad' });
  });

  it('says paused, nothing waits, and nobody serves it', () => {
    expect(words({ paused: true, eta_seconds: null }).text).toBe('paused');
    expect(words({}, 0).text).toBe('–');
    expect(words({ workers: 0, eta_seconds: null })).toEqual({ text: 'never', tone: 'bad' });
  });

  it('is never for a queue that stands still, but not while a long task runs', () => {
    const still = { rate_in: 0, rate_out: 0, eta_seconds: null, oldest_pending_age: 60 };
    expect(words(still)).toEqual({ text: 'never', tone: 'bad' });
    expect(words({ ...still, running: 1 }).text).toBe('steady');
  });
});

describe('what is wrong with a queue', () => {
  it('calls a queue unserved rather than growing, and a paused one neither', () => {
    const queue = queueOf('exports', pending(283, { workers: 0, rate_in: 0.4, rate_out: 0, oldest_pending_age: 600 }));
    expect(troublesOf(queue, [])).toMatchObject({ unserved: true, grows: false, held: false });
    expect(troublesOf({ ...queue, paused: true }, [])).toMatchObject({ unserved: false, grows: false, held: true });
  });

  it('finds late only against a target, and worse at five times it', () => {
    expect(lateTone(9000, null)).toBe('plain');
    expect(lateTone(30, 30)).toBe('plain');
    expect(lateTone(31, 30)).toBe('warn');
    expect(lateTone(150, 30)).toBe('warn');
    expect(lateTone(151, 30)).toBe('bad');
  });

  it('takes a few failing attempts for normal', () => {
    expect([null, 0, 0.009, 0.01, 0.039, 0.04].map(failingTone)).toEqual([
      'plain',
      'plain',
      'plain',
      'warn',
      'warn',
      'bad',
    ]);
  });

  it('knows a deaf worker from one that is quiet, full or blocked', () => {
    const queue = queueOf('emails', pending(3));
    const deaf = (change: Parameters<typeof workerOf>[1]) =>
      troublesOf(queue, [workerOf('w-1', { queues: [{ name: 'emails', weight: 1 }], ...change })]).deaf;
    expect(deaf({ fetching: false })).toBe(true);
    expect(deaf({ fetching: true })).toBe(false);
    expect(deaf({ fetching: undefined })).toBe(false);
    expect(deaf({ fetching: false, state: 'quiet' })).toBe(false);
    expect(deaf({ fetching: false, blocked: true })).toBe(false);
    expect(deaf({ fetching: false, queues: [{ name: 'images', weight: 1 }] })).toBe(false);
  });
});

it('puts the worst first: unserved, growing, very late, failing, late, held, and then what is long', () => {
  const queues = [
    queueOf('empty'),
    queueOf('long', pending(900, { rate_in: 1, rate_out: 2 })),
    queueOf('held', pending(1, { paused: true })),
    queueOf('late', pending(1, { limits: limits(2), rate_out: 1 })),
    queueOf('failing', { failing_share: 0.3, failed_per_hour: 4 }),
    queueOf('growing', pending(40, { rate_in: 2, rate_out: 1 })),
    queueOf('unserved', pending(1, { workers: 0 })),
  ];
  expect(worstFirst(queues, []).map(({ name }) => name)).toEqual([
    'unserved',
    'growing',
    'failing',
    'late',
    'held',
    'long',
    'empty',
  ]);
  expect(troubleScore(queueOf('long', pending(900, { rate_in: 1, rate_out: 2 })), [])).toBe(0);
});

it('puts the one that fails more first where both are in the same trouble', () => {
  const trouble = (failed_per_hour: number) =>
    pending(500, { failing_share: 0.3, failed_per_hour, rate_in: 2, rate_out: 1 });
  const queues = [queueOf('emails', trouble(40)), queueOf('payments', trouble(170))];
  expect(worstFirst(queues, []).map(({ name }) => name)).toEqual(['payments', 'emails']);
});

it('keeps two queues in their places while their depths differ by little', () => {
  const order = (a: number, b: number) =>
    worstFirst([queueOf('a', pending(a)), queueOf('b', pending(b))], []).map(({ name }) => name);
  expect(order(100, 110)).toEqual(['a', 'b']);
  expect(order(110, 100)).toEqual(['a', 'b']);
  expect(order(100, 400)).toEqual(['b', 'a']);
});
