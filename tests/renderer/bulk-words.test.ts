import { expect, it } from 'vitest';
import type { DryRun } from '#queue/contract/operation';
import { type Queue, sumCounts } from '#queue/contract/queue';
import { TaskFilter } from '#queue/contract/task';
import {
  BULK_VERBS,
  type BulkVerb,
  confirmationWords,
  consequenceOf,
  kindOf,
  largest,
  titleOf,
  warningsOf,
  wayBackOf,
} from '../../src-renderer/stores/bulk-action';
import { filterText, parseFilter, selectionText } from '../../src-renderer/stores/selection-text';
import { idOf, taskOf } from '../support/wire';

const planOf = (change: Partial<DryRun> = {}): DryRun => ({
  matched: 312,
  by_queue: { payments: 312 },
  by_task_type: { 'charge.capture': 312 },
  by_error: {},
  samples: [],
  ...change,
});
const NOW = Date.parse('2026-11-22T12:00:00.000Z');

it('writes a filter as a query, and reads it back', () => {
  const filter = {
    queue: 'payments',
    task_type: 'charge.capture',
    tag: 'tenant 42',
    error: 'read: gone',
    q: 'order 7',
  };
  const text = filterText({ ...filter, status: ['failed', 'retrying'] });
  expect(text).toBe(
    'state:failed,retrying queue:payments type:charge.capture tag:"tenant 42" error:"read: gone" "order 7"',
  );
  expect(parseFilter(text.replace('state:failed,retrying ', ''))).toEqual(filter);
});

it('writes every field that a filter can have', () => {
  const text = filterText({
    status: 'failed',
    queue: ['a', 'b'],
    task_type: 'charge.*',
    owner: 'checkout',
    worker: 'w-1',
    attempts_min: 3,
    run_min: 30,
    priority: [8, 9],
    since: '2026-11-22T12:00:00Z',
    until: '2026-11-23T12:00:00Z',
    payload: ['order.id:1234'],
  });
  expect(text).toBe(
    'state:failed queue:a,b type:charge.* owner:checkout worker:w-1 attempts:>=3 run:>=30s priority:8,9 ' +
      'created:>=2026-11-22T12:00:00Z created:<2026-11-23T12:00:00Z payload.order.id:1234',
  );
  const empty = Object.keys(TaskFilter.shape).filter((field) => filterText({ [field]: ['1'] } as TaskFilter) === '');
  expect(empty).toEqual([]);
});

it('takes what names no term for text, and nothing for everything', () => {
  expect(parseFilter('  order   40918 ')).toEqual({ q: 'order 40918' });
  expect(parseFilter('http://x constructor:y')).toEqual({ q: 'http://x constructor:y' });
  expect(parseFilter('queue:a queue:b')).toEqual({ queue: 'b' });
  const odd = { error: 'say "no" \\ and: stop' };
  expect(parseFilter(filterText(odd))).toEqual(odd);
  expect(parseFilter(' ')).toEqual({});
  expect(selectionText({ filter: {} })).toBe('every task');
});

it('names ids, the first three of many', () => {
  expect(selectionText({ ids: [idOf(1)] })).toBe(`id:${idOf(1)}`);
  expect(selectionText({ ids: [1, 2, 3, 4, 5].map(idOf) })).toBe(`id:${[1, 2, 3].map(idOf).join(', ')} and 2 more`);
});

it('says verb, count, object, queue and environment in the title', () => {
  const action = { verb: 'requeue', noun: 'failed task', selection: { filter: {} } } as const;
  expect(titleOf(action, 12482, planOf(), 'PRODUCTION')).toBe(
    'Requeue 12\u2009482 failed tasks in payments on PRODUCTION',
  );
  const two = planOf({ by_queue: { payments: 1, emails: 2 } });
  expect(titleOf({ ...action, verb: 'cancel' }, 1, two, 'LOCAL')).toBe('Cancel 1 failed task in 2 queues on LOCAL');
});

it('wants the queue where a second look is enough, else verb, count and queue', () => {
  expect(confirmationWords('confirm', 'purge', 12482, planOf())).toBe('payments');
  expect(confirmationWords('guarded', 'delete', 12482, planOf())).toBe('delete 12482 payments');
  const two = planOf({ by_queue: { payments: 1, emails: 2 } });
  expect(confirmationWords('confirm', 'requeue', 3, two)).toBe('requeue 3 tasks');
  expect(confirmationWords('guarded', 'requeue', 1, two)).toBe('requeue 1 task');
});

it('takes for bulk what cannot be taken back, and more than a few of anything', () => {
  const bulk = (verb: BulkVerb, count: number) => kindOf(verb, count) === 'bulk';
  expect(BULK_VERBS.filter((verb) => bulk(verb, 10))).toEqual(['purge', 'delete']);
  expect(BULK_VERBS.every((verb) => bulk(verb, 11))).toBe(true);
});

it('has a consequence and a way back for each verb', () => {
  for (const verb of BULK_VERBS) {
    expect(consequenceOf({ verb, selection: { ids: [] }, priority: 8 })).toMatch(/\.$/);
    expect(wayBackOf(verb)).toMatch(/\.$/);
  }
  expect(consequenceOf({ verb: 'reprioritise', selection: { ids: [] }, priority: 8 })).toContain('priority 8');
});

const queueOf = (name: string, paused: boolean): Queue => ({
  name,
  paused,
  depth: sumCounts([]),
  ...({} as Omit<Queue, 'name' | 'paused' | 'depth'>),
});

it('warns of a paused queue, of a type that nobody serves, and of tasks past their time', () => {
  const late = taskOf(1, { expires_at: '2026-11-22T11:59:59.000Z' });
  const plan = planOf({ samples: [late, taskOf(2)] });
  const known = { queues: [queueOf('payments', true), queueOf('emails', true)], workers: [], now: NOW };
  expect(warningsOf('requeue', plan, known)).toEqual([
    'payments paused: they wait there until it is resumed.',
    'No live worker serves charge.capture: they wait until one does.',
    '1 of 2 samples are past their expires_at.',
  ]);
  expect(warningsOf('purge', plan, known)).toEqual([]);
});

it('warns to requeue what still fails', () => {
  const failed = (secondsAgo: number) =>
    taskOf(1, { status: 'failed', finished_at: new Date(NOW - secondsAgo * 1000).toISOString() });
  const of = (...samples: DryRun['samples']) =>
    warningsOf('requeue', planOf({ samples, by_task_type: {} }), { queues: [], workers: [], now: NOW });
  expect(of(failed(900), failed(3))).toEqual([
    'They still fail: the last one 3.0 s ago. Wait, or try a few with a limit.',
  ]);
  expect(of(failed(61))).toEqual([]);
  expect(of()).toEqual([]);
});

it('shows the largest counts, and how many more there are', () => {
  expect(largest({ a: 1, b: 3, c: 2 }, 2)).toEqual({
    shown: [
      ['b', 3],
      ['c', 2],
    ],
    more: 1,
  });
});
