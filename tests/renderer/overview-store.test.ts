import { describe, expect, it } from 'vitest';
import type { Timeseries } from '#queue/contract/queue';
import { OverviewLoader } from '../../src-renderer/loaders/overview-loader';
import { ApiClient } from '../../src-renderer/net/api-client';
import { OVERVIEW_RANGES, OverviewStore } from '../../src-renderer/stores/overview-store.svelte';
import { columnsOf } from '../../src-renderer/stores/series-columns';
import { TestTime, taskFrame } from './support';

const NOTHING = { p50: null, p95: null, p99: null };
const BEGIN = Date.parse('2026-11-19T14:00:00Z');
type Point = Timeseries['points'][number];

const pointOf = (index: number, change: Partial<Point> = {}): Point => ({
  at: new Date(BEGIN + index * 10_000).toISOString(),
  created: null,
  started: null,
  completed: null,
  failed: null,
  dead: null,
  wait_ms: NOTHING,
  run_ms: NOTHING,
  depth: null,
  retrying: null,
  depths: null,
  oldest_pending_age: null,
  ...change,
});
/** The last one is the step that goes on. */
const seriesOf = (depths: (number | null)[], queues: Record<string, (number | null)[]> = {}): Timeseries => ({
  range: 3600,
  step: 10,
  queue: null,
  points: [...depths.map((depth, index) => pointOf(index, { depth })), pointOf(depths.length)],
  queue_depths: Object.entries(queues).map(([queue, depth]) => ({ queue, depth: [...depth, null] })),
});
const hour = OVERVIEW_RANGES[1];
const nextTurn = () =>
  new Promise<void>((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });

describe('columns', () => {
  it('makes rates of counts, and leaves the step out that is not over', () => {
    const point = pointOf(0, { created: 20, completed: 9, dead: 1, failed: 3, depth: 0 });
    const columns = columnsOf({ range: 60, step: 10, queue: null, points: [point, pointOf(1, { created: 1 })] });
    expect(columns).toMatchObject({ times: [BEGIN / 1000], in: [2], out: [1], failing: [0.25], oldest: [0] });
  });

  it('keeps what nobody looked at a gap', () => {
    expect(columnsOf(seriesOf([null]))).toMatchObject({
      in: [null],
      out: [null],
      failing: [null],
      oldest: [null],
    });
  });
});

describe('the recording', () => {
  it('stacks the queues it was given and the rest of all', () => {
    const store = new OverviewStore();
    store.putRecording(hour, seriesOf([10, 20, null], { a: [4, 5, null], b: [1, 2, null] }), true);
    expect(store.recording?.queues.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(store.recording?.others).toEqual([5, 13, null]);
  });

  it('has no rest where it was given every queue, and no step that is not over', () => {
    const store = new OverviewStore();
    store.putRecording(hour, seriesOf([7, null], { a: [7, null] }), false);
    expect(store.recording?.queues).toEqual([{ name: 'a', depth: [7, null] }]);
    expect(store.recording?.others).toBeNull();
  });

  it('remembers when a queue was last empty', () => {
    const store = new OverviewStore();
    store.putRecording(hour, seriesOf([0, 0, 4, 9], { a: [0, 0, 3, 8], b: [1, 1, 1, 1] }), false);
    expect(store.emptyAt.get('a')).toBe(BEGIN + 20_000);
    expect(store.emptyAt.has('b')).toBe(false);
  });
});

it('knows which task completed last, whatever order frames come in', () => {
  const store = new OverviewStore();
  const done = (at: string) =>
    taskFrame(1, 'completed', { started_at: '2026-11-22T12:00:00.000Z', finished_at: `2026-11-22T12:00:0${at}Z` });
  store.apply(done('2.500'));
  store.apply(done('1.000'));
  store.apply(taskFrame(2, 'failed', { finished_at: '2026-11-22T12:00:09.000Z' }));
  expect(store.lastCompletion).toEqual({ type: 'email', atMs: Date.parse('2026-11-22T12:00:02.500Z'), tookMs: 2500 });
});

describe('the loader', () => {
  /** Answers every time series and counts them; fails while `down`. */
  function world() {
    const time = new TestTime();
    const store = new OverviewStore();
    const asked: string[] = [];
    const state = { hidden: false, down: false };
    const fetch = (async (input: URL) => {
      asked.push(`${input.pathname}${input.search}`);
      if (state.down) throw new TypeError('fetch failed');
      const queues = input.searchParams.getAll('depths');
      const body = input.pathname.endsWith('groups')
        ? { groups: [] }
        : input.pathname.endsWith('tasks')
          ? { tasks: [], next_cursor: null, total: 0, total_exact: true }
          : seriesOf([1, 2], Object.fromEntries(queues.map((name) => [name, [1, 1]])));
      return new Response(JSON.stringify(body), { status: 200 });
    }) as typeof globalThis.fetch;
    const api = new ApiClient({
      baseUrl: 'http://millrace.test/',
      fetch,
      token: () => null,
      onUnauthenticated: () => undefined,
    });
    const queues = () => ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const loader = new OverviewLoader({ api, store, time, hidden: () => state.hidden, queues });
    /** Until every answer that is on its way has been taken. */
    const settle = async () => {
      for (let turn = 0; turn < 10; turn++) await nextTurn();
    };
    const of = (part: string) => asked.filter((url) => url.includes(part)).length;
    return { time, store, loader, state, settle, of };
  }

  it('reads nothing before it is told to, then another range at once', async () => {
    const { loader, settle, of } = world();
    loader.show(hour);
    await settle();
    expect(of('')).toBe(0);
    loader.read();
    await settle();
    loader.show(OVERVIEW_RANGES[0]);
    await settle();
    expect(of('depths=')).toBe(2);
    expect(of('range=900')).toBe(1);
  });

  it('reads all queues and the worst five in one request, again after a step, not sooner', async () => {
    const { time, store, loader, settle, of } = world();
    loader.show(hour);
    loader.read();
    await settle();
    expect(of('depths=')).toBe(1);
    expect(store.recording?.queues.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(store.recording?.others).not.toBeNull();
    time.advance(9_999);
    await settle();
    expect(of('depths=')).toBe(1);
    time.advance(1);
    await settle();
    expect(of('depths=')).toBe(2);
  });

  it('reads nothing while the page is hidden, and what fell due when it is seen', async () => {
    const { time, loader, state, settle, of } = world();
    loader.show(hour);
    loader.read();
    await settle();
    state.hidden = true;
    time.advance(600_000);
    await settle();
    expect(of('depths=')).toBe(1);
    state.hidden = false;
    loader.seen();
    await settle();
    expect(of('depths=')).toBe(2);
  });

  it('names what could not be read, keeps what was, and mends itself', async () => {
    const { time, store, loader, state, settle } = world();
    loader.show(hour);
    loader.read();
    await settle();
    state.down = true;
    time.advance(10_000);
    await settle();
    expect([...store.failures.keys()].sort()).toEqual(['charts', 'failure groups']);
    expect(store.recording).not.toBeNull();
    state.down = false;
    time.advance(5000);
    await settle();
    expect(store.failures.size).toBe(0);
  });

  it('stops with its screen', async () => {
    const { time, loader, settle, of } = world();
    loader.show(hour);
    loader.read();
    await settle();
    loader.stop();
    const before = of('');
    time.advance(600_000);
    await settle();
    expect(of('')).toBe(before);
  });
});
