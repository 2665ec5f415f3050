import { describe, expect, it } from 'vitest';
import type { AuditEntry, Operation } from '#queue/contract/operation';
import { OperationsLoader } from '../../src-renderer/loaders/operations-loader';
import { ApiClient } from '../../src-renderer/net/api-client';
import { AuditStore, detailWords, shownEntries } from '../../src-renderer/stores/audit-store.svelte';
import {
  isUnderWay,
  leftOf,
  moves,
  OperationsStore,
  percentOf,
  speedOf,
} from '../../src-renderer/stores/operations-store.svelte';
import { actionNote, selectionOf } from '../../src-renderer/views/operations/operation-words';
import { idOf } from '../support/wire';
import { TestTime } from './support';

const STARTED = Date.parse('2026-11-22T12:00:00.000Z');
const operationOf = (change: Partial<Operation> = {}): Operation => ({
  id: 'op-1',
  action: 'requeue',
  filter: { status: 'failed' },
  state: 'running',
  matched: 300,
  done: 0,
  skipped: 0,
  failed: 0,
  rate: null,
  priority: null,
  started_at: new Date(STARTED).toISOString(),
  finished_at: null,
  by: 'local',
  message: null,
  eta_seconds: null,
  ...change,
});

describe('an operation', () => {
  it('knows how far, how fast, and how long still', () => {
    const half = operationOf({ done: 100, skipped: 40, failed: 10, eta_seconds: 9.5 });
    expect(percentOf(half)).toBe(50);
    expect(speedOf(half, STARTED + 10_000)).toBe(15);
    expect(leftOf(half)).toBe(9500);
  });

  it('promises nothing before it has begun, while it is held, or when it is over', () => {
    expect(speedOf(operationOf(), STARTED + 1000)).toBeNull();
    expect(leftOf(operationOf({ done: 1, state: 'paused' }))).toBeNull();
    const over = operationOf({ done: 300, state: 'done', finished_at: new Date(STARTED + 30_000).toISOString() });
    expect(speedOf(over, STARTED + 999_000)).toBe(10);
    expect(percentOf(operationOf({ matched: 0, state: 'done' }))).toBe(100);
  });

  it('is told by its query, or by the number of its ids', () => {
    expect(selectionOf(operationOf())).toBe('state:failed');
    expect(selectionOf(operationOf({ filter: null }))).toBe('300 tasks by id');
    expect(actionNote(operationOf({ action: 'reprioritise', priority: 8 }))).toBe(' to priority 8');
  });

  it('is under way until it is done or aborted, and moves unless it is held', () => {
    const states = ['planned', 'canary', 'running', 'paused', 'done', 'aborted'] as const;
    expect(states.filter((state) => isUnderWay(operationOf({ state })))).toEqual(states.slice(0, 4));
    expect(states.filter((state) => moves(operationOf({ state })))).toEqual(states.slice(0, 3));
  });
});

function world() {
  const time = new TestTime();
  const store = new OperationsStore();
  const asked: string[] = [];
  let operations: Operation[] = [];
  const api = new ApiClient({
    baseUrl: 'http://127.0.0.1:8000/',
    token: () => null,
    onUnauthenticated: () => undefined,
    fetch: async (input, init) => {
      asked.push(`${init?.method} ${new URL(String(input)).pathname}`);
      return Response.json(init?.method === 'POST' ? operationOf({ state: 'paused' }) : { operations });
    },
  });
  const loader = new OperationsLoader(api, store, time);
  const settled = () => new Promise((resolve) => setTimeout(resolve));
  return { time, store, loader, asked, settled, set: (...all: Operation[]) => (operations = all) };
}

describe('the operations', () => {
  it('are looked at once a second while one moves, and no longer', async () => {
    const { time, store, loader, asked, settled, set } = world();
    await loader.read();
    time.advance(5000);
    expect(asked).toHaveLength(1);
    loader.put(operationOf());
    expect(store.current?.id).toBe('op-1');
    set(operationOf({ done: 150 }));
    time.advance(1000);
    await settled();
    expect(store.current?.done).toBe(150);
    set(operationOf({ done: 300, state: 'done' }));
    time.advance(1000);
    await settled();
    expect(store.current).toBeNull();
    time.advance(5000);
    expect(asked).toHaveLength(3);
  });

  it('are not asked for what frames have told', async () => {
    const { time, store, loader, asked, settled } = world();
    loader.put(operationOf());
    for (let done = 1; done <= 3; done++) {
      loader.take({ type: 'operation', operation: operationOf({ done }) });
      time.advance(1000);
      await settled();
    }
    expect(store.current?.done).toBe(3);
    expect(asked).toEqual([]);
    time.advance(1000);
    expect(asked).toEqual(['GET /api/operations']);
  });

  it('follow what a steer has made of one', async () => {
    const { store, loader, asked } = world();
    loader.put(operationOf());
    await loader.steer('op-1', 'pause');
    expect(asked).toEqual(['POST /api/operations/op-1/pause']);
    expect(store.operations).toHaveLength(1);
    expect(store.current?.state).toBe('paused');
  });

  it('keep what went wrong with one over lists and frames that leave it out', () => {
    const store = new OperationsStore();
    const recent = [{ id: idOf(1), outcome: 'skipped' as const, detail: 'is pending' }];
    store.put(operationOf({ skipped: 1, recent }));
    store.put(operationOf({ skipped: 2 }));
    expect(store.operations[0]).toMatchObject({ skipped: 2, recent });
    store.replace([operationOf({ skipped: 3 }), operationOf({ id: 'op-2' })]);
    expect(store.operations[0]).toMatchObject({ skipped: 3, recent });
    expect(store.operations[1]?.recent).toBeUndefined();
  });

  it('show the newest that moves before one that is held', () => {
    const store = new OperationsStore();
    store.replace([operationOf({ id: 'held', state: 'paused' }), operationOf({ id: 'runs' })]);
    expect(store.current?.id).toBe('runs');
    expect(store.underWay).toHaveLength(2);
  });
});

describe('the audit', () => {
  const entryOf = (id: string, change: Partial<AuditEntry> = {}): AuditEntry => ({
    id,
    at: '2026-11-22T12:00:00.000Z',
    by: 'ops',
    action: 'queue.pause',
    target: 'payments',
    detail: null,
    ...change,
  });

  it('is narrowed by every word in any column', () => {
    const entries = [entryOf('2', { detail: 'reason: deploy' }), entryOf('1', { by: 'ci' })];
    const found = (text: string) => shownEntries(entries, text).map(({ id }) => id);
    expect(found('')).toEqual(['2', '1']);
    expect(found('OPS deploy')).toEqual(['2']);
    expect(found('pause ci')).toEqual(['1']);
    expect(found('resume')).toEqual([]);
  });

  it('grows by older pages, and is begun anew by a fresh read', () => {
    const store = new AuditStore();
    store.begin('first');
    store.put([entryOf('3'), entryOf('2')], 'c');
    store.begin('more');
    store.put([entryOf('2'), entryOf('1')], null);
    expect(store.entries.map(({ id }) => id)).toEqual(['3', '2', '1']);
    store.begin('first');
    store.put([entryOf('4')], null);
    expect(store).toMatchObject({ loading: null, loaded: true, nextCursor: null });
    expect(store.entries.map(({ id }) => id)).toEqual(['4']);
  });
});

it.each([
  ['filter {"status":"failed","queue":"images"}', 'status:failed queue:images', true],
  ['{"target_age":30,"rate":null}', 'target_age:30 rate:none', true],
  ['images', 'images', false],
  ['filter {"status":"fai', 'filter {"status":"fai', false],
  ['braces {that are} no JSON}', 'braces {that are} no JSON}', false],
  [null, '', false],
])('the audit tells %s as %s', (detail, text, code) => {
  expect(detailWords(detail)).toEqual({ text, code });
});
