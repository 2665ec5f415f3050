import { describe, expect, it, vi } from 'vitest';
import type { FailureGroup, FailureGroupDetail, StackFrame } from '#queue/contract/failure';
import { FailureGroupsLoader } from '../../src-renderer/loaders/failure-groups-loader';
import { ApiClient } from '../../src-renderer/net/api-client';
import { DeadLettersStore } from '../../src-renderer/stores/dead-letters-store.svelte';
import {
  errorParts,
  FailureGroupsStore,
  frameWords,
  isNew,
  shownGroups,
} from '../../src-renderer/stores/failure-groups-store.svelte';
import { idOf, taskOf } from '../support/wire';
import { TestTime, taskFrame } from './support';

const frameOf = (change: Partial<StackFrame> = {}): StackFrame => ({
  text: 'at PspClient.capture (/app/src/psp/client.ts:118:9)',
  function: 'PspClient.capture',
  file: '/app/src/psp/client.ts',
  line: 118,
  in_app: true,
  ...change,
});
const groupOf = (fingerprint: string, change: Partial<FailureGroup> = {}): FailureGroup => ({
  fingerprint,
  error: 'ECONNRESET: read ECONNRESET',
  message: 'read ECONNRESET',
  top_frame: frameOf(),
  task_type: 'charge.capture',
  queues: ['payments'],
  count: 312,
  first_at: '2026-11-22T11:30:00.000Z',
  last_at: '2026-11-22T12:00:00.000Z',
  sample_ids: [],
  series_24h: null,
  sampled: 0,
  ...change,
});

describe('failure groups', () => {
  it('are new for an hour', () => {
    const group = groupOf('a');
    expect(isNew(group, Date.parse('2026-11-22T12:29:59.999Z'))).toBe(true);
    expect(isNew(group, Date.parse('2026-11-22T12:30:00.000Z'))).toBe(false);
  });

  it('are told by class, message without what differs, and the frame with its folder', () => {
    expect(errorParts({ error: 'TimeoutError: ran 31 s: gave up', message: 'ran # s: gave up' })).toEqual({
      name: 'TimeoutError',
      message: 'ran # s: gave up',
    });
    expect(errorParts({ error: 'ExpiredError', message: '' })).toEqual({ name: 'ExpiredError', message: '' });
    expect(frameWords(frameOf())).toBe('PspClient.capture · psp/client.ts:118');
    expect(frameWords(frameOf({ function: null, file: 'C:\\app\\psp\\client.ts' }))).toBe('psp/client.ts:118');
    expect(frameWords(frameOf({ function: null, file: null, line: null, text: 'at native' }))).toBe('at native');
    expect(frameWords(null)).toBe('no frame of the program');
  });

  it('are found by every word, wherever it stands, and ordered by newest or most', () => {
    const mail = groupOf('b', {
      error: 'HttpError: 429',
      message: '#',
      task_type: 'email.send',
      queues: ['emails'],
      count: 400,
      last_at: '2026-11-22T11:00:00.000Z',
    });
    const groups = [mail, groupOf('a')];
    const found = (text: string, order: 'newest' | 'most' = 'newest') =>
      shownGroups(groups, text, order).map(({ fingerprint }) => fingerprint);
    expect(found('')).toEqual(['a', 'b']);
    expect(found('', 'most')).toEqual(['b', 'a']);
    expect(found('PAYMENTS client.ts')).toEqual(['a']);
    expect(found('emails charge')).toEqual([]);
    expect(groups[0]).toBe(mail); // what was read is not sorted in place
  });

  const detailOf = (fingerprint: string): FailureGroupDetail => {
    const { series_24h: _, sampled: __, ...shared } = groupOf(fingerprint);
    const series = { from: shared.first_at, step: 60, counts: [1] };
    return {
      ...shared,
      series: { minutes: series, hours: series, sampled: 1 },
      compared: 1,
      workers: [],
      attempts: [],
      stack: [],
      stacks_equal: 0,
      payload: [],
      payloads: 0,
      last_success: null,
    };
  };

  function world() {
    const time = new TestTime();
    const store = new FailureGroupsStore();
    const asked: string[] = [];
    let groups = [groupOf('a')];
    const api = new ApiClient({
      baseUrl: 'http://127.0.0.1:8000/',
      token: () => null,
      onUnauthenticated: () => undefined,
      fetch: async (input) => {
        const { pathname, search } = new URL(String(input));
        asked.push(pathname + search);
        if (pathname === '/api/dlq/groups') return Response.json({ groups });
        if (pathname === '/api/dlq')
          return Response.json({ tasks: [], next_cursor: null, total: 0, total_exact: true });
        const there = groups.some(({ fingerprint }) => pathname.endsWith(fingerprint));
        return there
          ? Response.json(detailOf('a'))
          : Response.json({ title: 'Not found', status: 404 }, { status: 404 });
      },
    });
    const loader = new FailureGroupsLoader(api, store, time);
    const settled = () => new Promise((resolve) => setTimeout(resolve));
    return { time, store, loader, asked, settled, empty: () => (groups = []) };
  }

  it('are read again once after a wave of failures, and not for progress', async () => {
    const { time, loader, asked, settled } = world();
    await loader.read();
    for (let n = 0; n < 100; n++) loader.take(taskFrame(n, 'failed', { status: 'failed' }));
    time.advance(1999);
    expect(asked).toEqual(['/api/dlq/groups']);
    time.advance(1);
    await settled();
    expect(asked).toEqual(['/api/dlq/groups', '/api/dlq/groups']);
    loader.take(taskFrame(1, 'progress', { status: 'processing' }));
    time.advance(10_000);
    expect(asked).toHaveLength(2);
    loader.take(taskFrame(1, 'requeued', { status: 'pending' }));
    loader.stop();
    time.advance(10_000);
    expect(asked).toHaveLength(2);
  });

  it('tell of the open one with its newest tasks, and that it was emptied', async () => {
    const { time, store, loader, asked, empty } = world();
    await loader.read();
    await loader.open('a');
    expect(asked.slice(1)).toEqual(['/api/dlq/groups/a', '/api/dlq?error=a&limit=50']);
    expect(store).toMatchObject({ openId: 'a', gone: false, members: [] });
    expect(store.detail?.compared).toBe(1);
    empty();
    loader.take(taskFrame(1, 'requeued', { status: 'pending' }));
    time.advance(2000);
    await vi.waitFor(() => expect(store).toMatchObject({ gone: true, detailError: null }));
    await loader.open(null);
    expect(store).toMatchObject({ openId: null, detail: null, gone: false });
  });
});

describe('dead letters', () => {
  const dead = (n: number) => taskOf(n, { status: 'failed' });
  function store(total = 3) {
    const made = new DeadLettersStore();
    made.begin({ queue: 'default' });
    made.replace({ tasks: [dead(3), dead(2)], next_cursor: 'c', total, total_exact: true });
    return made;
  }

  it('stay, dimmed, where they have left, and come back where they fail again', () => {
    const made = store();
    made.apply([taskFrame(2, 'requeued'), taskFrame(3, 'removed', { status: 'failed' })]);
    expect([...made.left]).toEqual([idOf(2), idOf(3)]);
    expect(made.rows).toHaveLength(2);
    made.apply([taskFrame(2, 'failed', { status: 'failed' })]);
    expect([...made.left]).toEqual([idOf(3)]);
  });

  it('count those that failed since, as far as a frame tells that they match', () => {
    const made = store();
    made.apply([
      taskFrame(7, 'failed', { status: 'failed' }),
      taskFrame(8, 'failed', { status: 'failed', queue: 'emails' }),
      taskFrame(9, 'failed', { status: 'failed' }),
      taskFrame(9, 'requeued'),
    ]);
    expect([...made.arrived]).toEqual([idOf(7)]);
    made.replace({ tasks: [dead(7)], next_cursor: null, total: 1, total_exact: true });
    expect(made.arrived.size).toBe(0);
  });

  it('are selected by check, by the row under the keyboard, or all that match', () => {
    const made = store(312);
    expect(made.selection(null)).toBeNull();
    expect(made.selection(idOf(2))).toEqual({ ids: [idOf(2)] });
    made.check(new Set([idOf(3)]));
    expect(made.selection(idOf(2))).toEqual({ ids: [idOf(3)] });
    made.check(new Set([idOf(2), idOf(3)]));
    expect(made).toMatchObject({ allLoadedChecked: true, selectedCount: 2 });
    made.allMatching = true;
    expect(made.selectedCount).toBe(312);
    expect(made.selection(null)).toEqual({ filter: { queue: 'default', status: 'failed' } });
    made.check(new Set([idOf(2)]));
    expect(made.selection(null)).toEqual({ ids: [idOf(2)] });
  });

  it('keep no check on what is no more there, nor over another filter', () => {
    const made = store();
    made.check(new Set([idOf(2), idOf(3)]));
    made.replace({ tasks: [dead(3)], next_cursor: null, total: 1, total_exact: true });
    expect([...made.checked]).toEqual([idOf(3)]);
    made.allMatching = true;
    made.begin({ queue: 'emails' });
    expect(made).toMatchObject({ allMatching: false, loaded: false, rows: [] });
    expect(made.checked.size).toBe(0);
  });

  it('join page to page without a row twice', () => {
    const made = store();
    made.append({ tasks: [dead(2), dead(1)], next_cursor: null, total: 3, total_exact: true });
    expect(made.rows.map(({ id }) => id)).toEqual([3, 2, 1].map(idOf));
  });
});
