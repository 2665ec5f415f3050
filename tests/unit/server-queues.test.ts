import { describe, expect, it } from 'vitest';
import { explain } from '#main/server/explain';
import { NO_TRAFFIC, toQueue } from '#main/server/fleet-view';
import { sumCounts } from '#queue/contract/queue';
import type { QueueState, WaitFacts } from '#queue/engine/ports';
import { createWorld, worker } from '../support/api-world';

const COUNTS = sumCounts([]);
const NOW = Date.parse('2026-01-31T12:00:00Z');
const state = (change: Partial<QueueState> = {}): QueueState => ({
  name: 'default',
  paused: false,
  counts: COUNTS,
  oldestPendingAt: null,
  limits: { concurrency: null, rate: null, targetAgeMs: null, agingMs: null, durability: null, shards: 1 },
  now: NOW,
  ...change,
});

describe('a queue', () => {
  it('tells depth, age, rates, limits, workers and the time to drain', async () => {
    const { call, queue, workers } = createWorld();
    workers.push(worker());
    queue.put();
    queue.put({ status: 'failed' });
    const { body } = await call('GET', '/api/queues/default');
    expect(body).toMatchObject({
      name: 'default',
      paused: false,
      late: false,
      rate_in: 1,
      rate_out: 3,
      eta_seconds: 0.5,
      workers: 1,
      fetching: 1,
      running: 0,
      slots: 10,
      failing_share: 0.5,
      failed_per_hour: 2,
      limits: { concurrency: null, rate: null, target_age: null, aging: null, durability: null, shards: 1 },
    });
    expect(body.depth).toMatchObject({ pending: 1, failed: 1, completed: 0 });
    expect((await call('GET', '/api/queues')).body.queues).toHaveLength(1);
  });

  it('is 404 where nobody has used it, also by a name that none can have', async () => {
    const { call } = createWorld();
    for (const name of ['nobody', 'a%20b', '%7Bx%7D', 'q'.repeat(65)]) {
      const { status, body } = await call('GET', `/api/queues/${name}`);
      expect([status, body.code]).toEqual([404, 'QUEUE_NOT_FOUND']);
    }
  });

  it('is paused and resumed, also before its first task', async () => {
    const { call, audit } = createWorld();
    expect((await call('POST', '/api/queues/new/pause')).body.paused).toBe(true);
    expect((await call('POST', '/api/queues/new/resume/')).body.paused).toBe(false);
    expect(audit.map(({ action }) => action)).toEqual(['queue.resume', 'queue.pause']);
    expect((await call('POST', '/api/queues/a%20b/pause')).body.errors[0].path).toBe('queue');
  });

  it('is purged only by who writes its name', async () => {
    const { call, queue } = createWorld();
    queue.put();
    queue.put({ status: 'scheduled' });
    const kept = queue.put({ status: 'failed' });
    for (const body of [{ confirm: 'other' }, { confirm: true }, {}])
      expect((await call('POST', '/api/queues/default/purge', body)).body.errors[0].path).toBe('confirm');
    expect((await call('POST', '/api/queues/default/purge')).status).toBe(400);
    expect(queue.tasks.size).toBe(3);
    expect((await call('POST', '/api/queues/default/purge', { confirm: 'default' })).body).toEqual({
      queue: 'default',
      removed: 2,
    });
    expect([...queue.tasks.keys()]).toEqual([kept.id]);
    expect((await call('POST', '/api/queues/nobody/purge', { confirm: 'nobody' })).status).toBe(404);
  });

  it('keeps limits that are not named, and loses those that are null', async () => {
    const { call } = createWorld();
    const put = (body: unknown) => call('PUT', '/api/queues/default/limits', body);
    expect((await put({ concurrency: 5, rate: { max: 10, per: 0.5 } })).body.limits).toEqual({
      concurrency: 5,
      rate: { max: 10, per: 0.5 },
      target_age: null,
      aging: null,
      durability: null,
      shards: 1,
    });
    expect((await put({ target_age: 30 })).body.limits).toEqual({
      concurrency: 5,
      rate: { max: 10, per: 0.5 },
      target_age: 30,
      aging: null,
      durability: null,
      shards: 1,
    });
    expect((await put({ rate: null })).body.limits).toEqual({
      concurrency: 5,
      rate: null,
      target_age: 30,
      aging: null,
      durability: null,
      shards: 1,
    });
    expect((await put({ concurrency: 1_000_000 })).status).toBe(200);
    for (const body of [
      { concurrency: 0 },
      { concurrency: 1_000_001 },
      { concurrency: 1.5 },
      { rate: { max: 1 } },
      { rate: { max: 1, per: 1, x: 1 } },
      { rate: { max: 0, per: 1 } },
      { rate: { max: 1, per: 0 } },
      { target_age: -1 },
      { speed: 1 },
    ]) {
      expect((await put(body)).status, JSON.stringify(body)).toBe(422);
    }
  });

  it('is late once its oldest task has waited longer than it may', () => {
    const at = (ms: number) =>
      toQueue(
        state({
          oldestPendingAt: NOW - ms,
          limits: { concurrency: null, rate: null, targetAgeMs: 5000, agingMs: null, durability: null, shards: 1 },
        }),
        NO_TRAFFIC,
        [],
      );
    expect(at(5000)).toMatchObject({ late: false, oldest_pending_age: 5 });
    expect(at(5001)).toMatchObject({ late: true });
  });

  it('has no time to drain while it grows or is paused', () => {
    const counts = { ...COUNTS, pending: 10 };
    expect(toQueue(state({ counts }), { ...NO_TRAFFIC, in: 2, out: 2 }, []).eta_seconds).toBeNull();
    expect(toQueue(state({ counts, paused: true }), { ...NO_TRAFFIC, in: 0, out: 2 }, []).eta_seconds).toBeNull();
    expect(toQueue(state({ counts }), { ...NO_TRAFFIC, in: 1, out: 3 }, []).eta_seconds).toBe(5);
    expect(toQueue(state(), { ...NO_TRAFFIC, in: 1, out: 0 }, []).eta_seconds).toBe(0);
  });
});

describe('why a task waits', () => {
  const task = createWorld().queue.put();
  const facts = (change: Partial<WaitFacts> = {}): WaitFacts => ({
    task,
    queue: state(),
    position: 0,
    rateLimitedUntil: null,
    waitsFor: [],
    ...change,
  });
  it('counts a worker of every queue as one of this queue', () => {
    const every = worker({
      queues: [
        { name: 'elsewhere', weight: 5 },
        { name: '*', weight: 1 },
      ],
    });
    expect(codes(facts(), [every])).toEqual(['ready']);
    expect(codes(facts(), [worker({ queues: [{ name: 'elsewhere', weight: 5 }] })])).toEqual(['no_worker_for_queue']);
  });

  const codes = (given: WaitFacts, workers = [worker()], rates = { in: 0, out: 2 }) =>
    explain(given, workers, rates).reasons.map(({ code }) => code);

  it.each<[string, WaitFacts, string[], number | null]>([
    ['nothing holds it', facts(), ['ready'], 0],
    ['others are before it', facts({ position: 10 }), ['behind'], 5],
    ['the queue is paused', facts({ queue: state({ paused: true }) }), ['paused'], null],
    ['the rate limit holds it', facts({ rateLimitedUntil: NOW + 3000 }), ['rate_limited'], 3],
    [
      'as many run as may',
      facts({
        queue: state({
          counts: { ...COUNTS, processing: 2 },
          limits: { concurrency: 2, rate: null, targetAgeMs: null, agingMs: null, durability: null, shards: 1 },
        }),
      }),
      ['concurrency'],
      0,
    ],
    [
      'it is not due',
      facts({ task: { ...task, status: 'scheduled', dueAt: NOW + 60_000 }, position: null }),
      ['scheduled'],
      60,
    ],
    [
      'an attempt failed',
      facts({ task: { ...task, status: 'retrying', attempts: 1, dueAt: NOW + 1000 }, position: null }),
      ['retrying'],
      1,
    ],
    [
      'others must come first',
      facts({ task: { ...task, status: 'blocked' }, position: null, waitsFor: ['A', 'B'] }),
      ['dependency', 'dependency'],
      null,
    ],
    [
      'it runs',
      facts({
        task: { ...task, status: 'processing', attempts: 1, workerId: 'w', cancelRequested: true },
        position: null,
      }),
      ['running', 'cancelling'],
      null,
    ],
    ['it has ended', facts({ task: { ...task, status: 'completed' }, position: null }), ['final'], null],
    ['it expires', facts({ task: { ...task, expiresAt: NOW + 1 } }), ['ready', 'expires'], 0],
  ])('%s', (_name, given, expected, eta) => {
    expect(codes(given)).toEqual(expected);
    expect(explain(given, [worker()], { in: 0, out: 2 }).eta_seconds).toBe(eta);
  });

  it('knows whether workers are missing for the queue or for the type', () => {
    expect(codes(facts(), [])).toEqual(['no_worker_for_queue']);
    expect(codes(facts(), [worker({ queues: [{ name: 'other', weight: 1 }] })])).toEqual(['no_worker_for_queue']);
    expect(codes(facts(), [worker({ task_types: ['image'] })])).toEqual(['no_worker_for_type']);
    expect(codes(facts(), [worker({ state: 'quiet' })])).toEqual(['no_worker_for_queue']);
  });

  it('names ten dependencies and counts the rest', () => {
    const waitsFor = Array.from({ length: 12 }, (_, i) => `T${i}`);
    const { reasons } = explain(facts({ task: { ...task, status: 'blocked' }, waitsFor }), [worker()], {
      in: 0,
      out: 0,
    });
    expect(reasons).toHaveLength(11);
    expect(reasons[10]?.message).toContain('2 more');
  });

  it('gives times in ISO, and no estimate without throughput', () => {
    expect(explain(facts({ rateLimitedUntil: NOW }), [worker()], { in: 0, out: 0 }).reasons[0]?.until).toBe(
      '2026-01-31T12:00:00.000Z',
    );
    expect(explain(facts({ position: 5 }), [worker()], { in: 0, out: 0 }).eta_seconds).toBeNull();
  });
});
