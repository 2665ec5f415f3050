import { describe, expect, it } from 'vitest';
import type { FailureGroup } from '#queue/contract/failure';
import { sumCounts } from '#queue/contract/queue';
import type { SystemState } from '#queue/contract/session';
import { attentionOf, incidentOf, type Situation, severityWords } from '../../src-renderer/views/overview/attention';
import { queueOf, statsOf } from '../support/wire';
import { workerOf } from './support';

const NOW = Date.parse('2026-11-19T14:47:00Z');
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

const situation = (change: Partial<Situation> = {}): Situation => ({
  now: NOW,
  rangeMs: 3_600_000,
  stats: statsOf(),
  queues: [],
  workers: [workerOf('w-1', { fetching: true })],
  groups: [],
  gauges: null,
  emptyAt: new Map(),
  ...change,
});
const groupOf = (change: Partial<FailureGroup> = {}): FailureGroup => ({
  fingerprint: 'f1',
  error: 'Error: read ECONNRESET',
  task_type: 'charge.capture',
  queues: ['payments'],
  count: 312,
  first_at: ago(900),
  last_at: ago(2),
  sample_ids: [],
  message: 'read ECONNRESET',
  top_frame: null,
  series_24h: null,
  sampled: 0,
  ...change,
});
const pending = (count: number) => ({ ...sumCounts([]), pending: count });
const limits = { concurrency: null, rate: null, target_age: 30, aging: null, durability: null, shards: 1 };
const gaugesOf = (change: Partial<SystemState['redis']>): SystemState => ({
  at: ago(0),
  redis: {
    up: true,
    latency_ms: 1,
    memory_bytes: 1000,
    max_memory_bytes: 4000,
    clients: 3,
    eviction_policy: 'noeviction',
    clock_offset_ms: 100,
    ...change,
  },
});

it('has nothing to say of a healthy system', () => {
  const healthy = situation({
    queues: [queueOf('emails', { depth: pending(34), workers: 1, fetching: 1, rate_in: 3.9, rate_out: 3.9 })],
    groups: [groupOf({ first_at: ago(90_000), last_at: ago(7200) })],
    gauges: gaugesOf({}),
  });
  expect(attentionOf(healthy)).toEqual([]);
  expect(severityWords([])).toBe('');
});

describe('failure groups', () => {
  it('tells a new one with its count, since its first failure, and where to look', () => {
    expect(attentionOf(situation({ groups: [groupOf()] }))).toMatchObject([
      {
        severity: 'critical',
        title: 'New failure group ×312: read ECONNRESET',
        subject: 'charge.capture',
        detail: 'in payments, last 2.0 s ago',
        sinceMs: NOW - 900_000,
        href: '#/failures?group=f1',
      },
    ]);
  });

  it('goes on telling of an old one that still fails, and drops one that is over', () => {
    const old = groupOf({ first_at: ago(9000) });
    expect(attentionOf(situation({ groups: [old] }))[0]?.title).toBe('Failures go on ×312: read ECONNRESET');
    expect(attentionOf(situation({ groups: [{ ...old, last_at: ago(400) }] }))).toEqual([]);
  });

  it('calls a handful a warning, and folds what is beyond two', () => {
    const groups = [1, 2, 3, 4, 5, 6].map((n) => groupOf({ fingerprint: `f${n}`, count: n }));
    const items = attentionOf(situation({ groups }));
    expect(items.map(({ id }) => id)).toEqual(['f6', 'f5', 'rest'].map((id) => `failures ${id}`));
    expect(items.at(-1)).toMatchObject({ title: '4 more failure groups', detail: '10 dead letters', sinceMs: null });
    expect(severityWords(items)).toBe('3 warnings');
  });

  it('leaves out a name that the message says again', () => {
    const titles = ['ECONNRESET: read ECONNRESET', 'HttpError: 429 Too Many Requests'].map(
      (error) => attentionOf(situation({ groups: [groupOf({ error })] }))[0]?.title,
    );
    expect(titles[0]).toMatch(/: read ECONNRESET$/);
    expect(titles[1]).toMatch(/: HttpError: 429 Too Many Requests$/);
  });

  it('does not call one critical that has stopped', () => {
    const [item] = attentionOf(situation({ groups: [groupOf({ last_at: ago(400) })] }));
    expect(item).toMatchObject({ severity: 'warning', title: 'New failure group ×312: read ECONNRESET' });
  });

  it('marks the incident by the largest group that began within the range', () => {
    const large = groupOf({ fingerprint: 'large', count: 40 });
    const older = groupOf({ fingerprint: 'older', first_at: ago(4000) });
    expect(incidentOf([groupOf({ count: 20 }), large, older], NOW, 3_600_000)?.fingerprint).toBe('large');
    expect(incidentOf([groupOf({ count: 9 })], NOW, 3_600_000)).toBeNull();
  });
});

describe('queues', () => {
  const growing = queueOf('payments', {
    depth: { ...pending(5204), retrying: 1846 },
    workers: 3,
    fetching: 3,
    rate_in: 14.1,
    rate_out: 6.2,
    eta_seconds: null,
    oldest_pending_age: 10,
    oldest_pending_at: ago(10),
  });

  it('tells one that does not drain, since it was last empty; not since when where nobody saw it empty', () => {
    const emptyAt = new Map([['payments', NOW - 840_000]]);
    expect(attentionOf(situation({ queues: [growing], emptyAt }))).toMatchObject([
      {
        severity: 'critical',
        title: 'payments does not drain: ETA never',
        detail: 'in 14.1/s, out 6.2/s; 1\u2009846 wait for a retry',
        sinceMs: NOW - 840_000,
        href: '#/queues/payments',
      },
    ]);
    expect(attentionOf(situation({ queues: [growing] }))[0]?.sinceMs).toBeNull();
  });

  it('tells one that is late since it missed its target, once and not again as growing', () => {
    const late = { oldest_pending_age: 50, oldest_pending_at: ago(50), limits, late: true };
    const queue = queueOf('reports', { ...late, depth: pending(71), workers: 1, fetching: 1, running: 2, rate_out: 1 });
    expect(attentionOf(situation({ queues: [queue] }))).toMatchObject([
      {
        kind: 'late',
        severity: 'warning',
        title: 'reports: oldest pending 50 s',
        detail: 'target 30 s; 2 tasks run, 71 tasks wait',
        sinceMs: NOW - 20_000,
      },
    ]);
    const both = attentionOf(situation({ queues: [{ ...growing, ...late }] }));
    expect(both.map(({ kind }) => kind)).toEqual(['grows']);
    expect(both[0]?.detail).toContain('oldest 50 s, target 30 s');
  });

  it('tells one that nobody serves, and one that is paused with tasks in it', () => {
    const waiting = { depth: pending(12), oldest_pending_age: 240, oldest_pending_at: ago(240) };
    const queues = [queueOf('held', { ...waiting, paused: true, workers: 1 }), queueOf('exports', waiting)];
    expect(attentionOf(situation({ queues }))).toMatchObject([
      { title: 'exports: no worker serves it', severity: 'critical', sinceMs: NOW - 240_000 },
      { title: 'held is paused: 12 tasks wait', severity: 'warning', sinceMs: null },
    ]);
  });

  it('says once that no worker is connected at all', () => {
    const queues = ['a', 'b'].map((name) => queueOf(name, { depth: pending(2), oldest_pending_at: ago(9) }));
    expect(attentionOf(situation({ queues, workers: [], stats: statsOf({ pending: 4 }) }))).toMatchObject([
      { title: 'No worker is connected', detail: '4 tasks wait in 2 queues', href: '#/workers', sinceMs: NOW - 9000 },
    ]);
    expect(attentionOf(situation({ workers: [] }))).toEqual([]);
  });
});

describe('workers and Redis', () => {
  it('tells a worker that is connected and fetches nothing, since its last fetch', () => {
    const deaf = workerOf('w-4', { fetching: false, last_fetch_at: ago(372) });
    const well = workerOf('w-5', { fetching: true });
    expect(attentionOf(situation({ workers: [deaf, well] }))).toMatchObject([
      {
        severity: 'warning',
        title: 'eu-w-03:4711 is connected but not fetching',
        detail: 'last fetch 6m 12s ago; 0 of 10 slots busy',
        sinceMs: NOW - 372_000,
        href: '#/workers/w-4',
      },
    ]);
    expect(attentionOf(situation({ workers: [deaf] }))[0]?.severity).toBe('critical');
  });

  it('tells a worker whose event loop stands still', () => {
    const running = [{ id: 'x', task_type: 'resize', queue: 'images', started_at: ago(60) }];
    expect(attentionOf(situation({ workers: [workerOf('w-1', { blocked: true, running })] }))).toMatchObject([
      { kind: 'blocked', detail: 'runs resize', sinceMs: null },
    ]);
  });

  it('tells of a Redis that deletes tasks when it is full, and of one that deletes idempotency keys', () => {
    const at = (policy: string | null) =>
      attentionOf(situation({ gauges: gaugesOf({ eviction_policy: policy }) })).map(({ title, severity }) => [
        title,
        severity,
      ]);
    expect(at('allkeys-lru')).toEqual([['Redis deletes tasks when its memory is full', 'critical']]);
    expect(at('volatile-ttl')).toEqual([['Redis deletes idempotency keys when its memory is full', 'warning']]);
    expect([...at('noeviction'), ...at(null)]).toEqual([]);
  });

  it('tells of memory near its limit and of clocks apart, and of neither where it is not known', () => {
    const at = (gauges: SystemState) =>
      attentionOf(situation({ gauges })).map(({ title, severity }) => [title, severity]);
    expect(at(gaugesOf({ memory_bytes: 3600 }))).toEqual([['Redis memory is 90 % full', 'critical']]);
    expect(at(gaugesOf({ memory_bytes: 3200 }))).toEqual([['Redis memory is 80 % full', 'warning']]);
    expect(at(gaugesOf({ memory_bytes: 3199 }))).toEqual([]);
    expect(at(gaugesOf({ clock_offset_ms: -3100 }))).toEqual([['The clock of Redis is 3.1 s behind', 'warning']]);
    expect(at(gaugesOf({ memory_bytes: null, max_memory_bytes: null, clock_offset_ms: null }))).toEqual([]);
  });
});

it('ranks what is critical before warnings, and counts both', () => {
  const items = attentionOf(
    situation({
      groups: [groupOf()],
      queues: [
        queueOf('held', { paused: true, depth: pending(900), workers: 1 }),
        queueOf('exports', { depth: pending(1), oldest_pending_at: ago(1) }),
      ],
    }),
  );
  expect(items.map(({ kind }) => kind)).toEqual(['unserved', 'failures', 'held']);
  expect(severityWords(items)).toBe('2 critical, 1 warning');
});
