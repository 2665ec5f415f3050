import { expect, it } from 'vitest';
import type { HistoryEntry } from '#queue/contract/task';
import { layOut } from '../../src-renderer/stores/attempt-timeline';
import { attemptsOf } from '../../src-renderer/stores/task-attempts';

const BEGIN = Date.UTC(2026, 10, 22, 12);
const at = (seconds: number) => new Date(BEGIN + seconds * 1000).toISOString();
const entry = (seconds: number, event: HistoryEntry['event'], attempt: number | null = null): HistoryEntry => ({
  at: at(seconds),
  event,
  attempt,
  worker_id: event === 'started' ? 'w-1' : null,
  detail: null,
  error: null,
  started_at: null,
  ready_at: null,
  next_run_at: null,
});
const FAILING = [
  entry(0, 'created'),
  entry(10, 'started', 1),
  entry(40, 'retrying', 1),
  entry(60, 'promoted'),
  entry(60, 'started', 2),
  entry(90, 'retrying', 2),
];
const width = 354;
const timeline = (history: HistoryEntry[], more: Partial<Parameters<typeof layOut>[0]> = {}) =>
  layOut({ createdAt: at(0), attempts: attemptsOf(history), nextAt: null, over: false, now: BEGIN, width, ...more });

it('tells executions from the history, with how each ended', () => {
  expect(attemptsOf([...FAILING, entry(120, 'started', 3)])).toMatchObject([
    { number: 1, startedAt: at(10), endedAt: at(40), outcome: 'failed', workerId: 'w-1' },
    { number: 2, outcome: 'failed' },
    { number: 3, endedAt: null, outcome: 'running' },
  ]);
  expect(attemptsOf([entry(0, 'created'), entry(5, 'cancelled')])).toEqual([]);
});

it('draws waits, runs and back-off in real scale, now where it is, and what comes', () => {
  const { spans, nowX } = timeline(FAILING, { now: BEGIN + 100_000, nextAt: at(130) });
  expect(spans.map(({ kind }) => kind)).toEqual(['wait', 'run', 'backoff', 'run', 'backoff', 'coming', 'next']);
  const perSecond = (width - 44) / 130;
  expect(spans[1]?.x).toBeCloseTo(10 * perSecond);
  expect(spans[1]?.width).toBeCloseTo(30 * perSecond);
  expect(spans[3]?.width).toBeCloseTo(30 * perSecond);
  expect(nowX).toBeCloseTo(100 * perSecond);
  const last = spans.at(-1);
  expect((last?.x ?? 0) + (last?.width ?? 0)).toBeCloseTo(width);
  expect(last?.attempt).toBe(3);
});

it('cuts a wait that would squeeze all else, and keeps the rest in scale', () => {
  const { spans } = timeline(FAILING, { now: BEGIN + 100_000, nextAt: at(7200) });
  expect(spans.filter(({ cut }) => cut).map(({ kind }) => kind)).toEqual(['coming']);
  expect(spans[1]?.width).toBeCloseTo(((width - 44 - 40) / 100) * 30);
});

it('shows a run however short, and ends without now once it is over', () => {
  const history = [entry(0, 'created'), entry(600, 'started', 1), entry(600.002, 'completed', 1)];
  const { spans, nowX } = timeline(history, { over: true, now: BEGIN + 9_000_000 });
  expect(spans.map(({ kind }) => kind)).toEqual(['wait', 'run']);
  expect(spans[1]?.width).toBe(3);
  expect(nowX).toBeNull();
});

it('never leaves the line, whatever the times', () => {
  for (const now of [0, 5_000, 50_000, 5_000_000]) {
    for (const span of timeline(FAILING, { now: BEGIN + now, nextAt: at(95) }).spans) {
      expect(span.x).toBeGreaterThanOrEqual(0);
      expect(span.width).toBeGreaterThanOrEqual(0);
      expect(span.x + span.width).toBeLessThanOrEqual(width + 0.001);
    }
  }
});
