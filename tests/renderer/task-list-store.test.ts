import { expect, it } from 'vitest';
import { TASK_STATUSES } from '#queue/contract/lifecycle';
import { timeOfTaskId } from '../../src-renderer/format';
import { type ListScope, readQuery } from '../../src-renderer/query/list-scope';
import { type TaskFrame, TaskListStore } from '../../src-renderer/stores/task-list-store.svelte';
import { idOf, taskOf } from '../support/wire';
import { taskFrame } from './support';

const NOW = 1_000_000;

function scopeOf(text: string): ListScope {
  const { scope } = readQuery(text, NOW);
  if (scope === null) throw new Error(`not a query: ${text}`);
  return scope;
}

function setup(query = '', options: ConstructorParameters<typeof TaskListStore>[0] = { following: true }) {
  const list = new TaskListStore(options);
  list.begin(scopeOf(query));
  const status = TASK_STATUSES.find((each) => query.includes(`state:${each}`)) ?? 'pending';
  list.replace({
    tasks: [taskOf(2, { status }), taskOf(1, { status })],
    next_cursor: 'more',
    total: 9,
    total_exact: true,
  });
  return {
    list,
    ids: () => list.rows.map((row) => row.id),
    apply: (...frames: TaskFrame[]) => list.apply(frames, NOW),
  };
}

it('puts a new task at the top while the reader follows', () => {
  const { list, ids, apply } = setup();
  apply(taskFrame(3), taskFrame(4));
  expect(ids()).toEqual([idOf(4), idOf(3), idOf(2), idOf(1)]);
  expect(list.rows[0]?.created_at).toBe(timeOfTaskId(idOf(4)));
});

it('keeps new tasks waiting while the reader is elsewhere, and shows them when asked', () => {
  const { list, ids, apply } = setup();
  list.follow(false);
  apply(taskFrame(3));
  apply(taskFrame(3, 'started', { status: 'processing', attempts: 1 }), taskFrame(4));
  expect(ids()).toEqual([idOf(2), idOf(1)]);
  expect(list.waiting.map((row) => row.id)).toEqual([idOf(3), idOf(4)]);
  list.follow(true);
  expect(ids()).toEqual([idOf(4), idOf(3), idOf(2), idOf(1)]);
  expect(list.rows[1]).toMatchObject({ status: 'processing', attempts: 1 });
  expect(list.waiting).toEqual([]);
});

it('changes a row in place, and keeps what the frame does not tell', () => {
  const { list, ids, apply } = setup();
  apply(taskFrame(1, 'started', { status: 'processing', attempts: 1, worker_id: 'w-1' }));
  apply(taskFrame(1, 'progress', { status: 'processing', progress: 40, progress_message: 'half' }));
  expect(ids()).toEqual([idOf(2), idOf(1)]);
  expect(list.rows[1]).toMatchObject({
    status: 'processing',
    attempts: 1,
    worker_id: 'w-1',
    progress: 40,
    max_retries: 3,
    left: false,
  });
});

it('dims a row that leaves the filter or is removed, and clears it when it comes back', () => {
  const { list, apply } = setup('state:pending');
  apply(taskFrame(1, 'started', { status: 'processing' }), taskFrame(2, 'removed'));
  expect(list.rows.map((row) => row.left)).toEqual([true, true]);
  apply(taskFrame(1, 'released', { status: 'pending' }));
  expect(list.rows[1]?.left).toBe(false);
});

it('takes in tasks that come to the status it is narrowed to', () => {
  const { ids, apply } = setup('state:failed');
  apply(
    taskFrame(7, 'created'),
    taskFrame(8, 'failed', { status: 'failed' }),
    taskFrame(9, 'failed', { status: 'failed', queue: 'default' }),
  );
  expect(ids()).toEqual([idOf(9), idOf(8), idOf(2), idOf(1)]);
});

it.each([
  ['another queue', 'queue:emails', taskFrame(3, 'created', { queue: 'images' })],
  ['another type', 'type:email', taskFrame(3, 'created', { task_type: 'thumbnail' })],
  ['a search, which only the server can answer', 'order', taskFrame(3)],
  ['an old task that makes progress', '', taskFrame(3, 'progress', { status: 'processing' })],
])('takes in nothing of %s', (_, query, frame) => {
  const { ids, apply } = setup(query);
  apply(frame);
  expect(ids()).toEqual([idOf(2), idOf(1)]);
});

it('forgets a waiting row that is removed before it was shown', () => {
  const { list, apply } = setup();
  list.follow(false);
  apply(taskFrame(3));
  apply(taskFrame(3, 'removed'));
  expect(list.waiting).toEqual([]);
});

it('adds a page without repeating rows that have moved meanwhile', () => {
  const { list, ids } = setup();
  list.append({ tasks: [taskOf(1), taskOf(0)], next_cursor: null, total: 9, total_exact: true });
  expect(ids()).toEqual([idOf(2), idOf(1), idOf(0)]);
  expect(list.nextCursor).toBeNull();
});

it('keeps its rows while it is read again, also for another query, until that is there', () => {
  const { list, ids } = setup();
  list.begin(list.scope);
  expect([ids().length, list.loaded]).toEqual([2, true]);
  list.begin(scopeOf('queue:emails'));
  expect([ids().length, list.loaded]).toEqual([2, false]);
  list.replace({ tasks: [taskOf(5)], next_cursor: null, total: 1, total_exact: true });
  expect(ids()).toEqual([idOf(5)]);
});

it('stays within its bound, waiting rows included, and says that more are new than it keeps', () => {
  const { list, apply } = setup('', { maxRows: 3 });
  apply(taskFrame(3), taskFrame(4), taskFrame(5), taskFrame(6));
  expect(list.waiting.map((row) => row.id)).toEqual([idOf(4), idOf(5), idOf(6)]);
  expect(list.waitingLost).toBe(true);
  list.showWaiting();
  expect(list.full).toBe(true);
  expect(list.rows.map((row) => row.id)).toEqual([idOf(6), idOf(5), idOf(4)]);
  apply(taskFrame(5, 'started', { status: 'processing' }));
  expect(list.rows.map((row) => row.status)).toEqual(['pending', 'processing', 'pending']);
});

it('changes the right row after rows came in at both ends', () => {
  const { list, ids, apply } = setup();
  apply(taskFrame(3), taskFrame(4));
  list.append({ tasks: [taskOf(0)], next_cursor: null, total: 9, total_exact: true });
  apply(taskFrame(0, 'started', { status: 'processing' }), taskFrame(4, 'failed', { status: 'failed' }));
  expect(ids()).toEqual([4, 3, 2, 1, 0].map(idOf));
  expect(list.rows.map((row) => row.status)).toEqual(['failed', 'pending', 'pending', 'pending', 'processing']);
  expect(list.rows[0]).toMatchObject({ changes: 1, changedAt: NOW });
});

it('changes nothing while it is paused, and counts what it misses', () => {
  const { list, ids, apply } = setup();
  list.pause(true);
  apply(taskFrame(3), taskFrame(1, 'started', { status: 'processing' }));
  expect(ids()).toEqual([idOf(2), idOf(1)]);
  expect(list.rows[1]?.status).toBe('pending');
  expect(list.missed).toBe(2);
});

it('shows the first rows of an empty list at once, without waiting to be asked', () => {
  const { list, ids, apply } = setup('', {});
  list.replace({ tasks: [], next_cursor: null, total: 0, total_exact: true });
  apply(taskFrame(3));
  expect(ids()).toEqual([idOf(3)]);
});

it('completes rows that frames have made, and leaves what has changed since the read', () => {
  const { list, apply } = setup();
  apply(
    taskFrame(3, 'started', { status: 'processing' }),
    taskFrame(4),
    taskFrame(4, 'started', { status: 'processing', attempts: 1, progress: 70 }),
  );
  expect(list.rows[0]).toMatchObject({ id: idOf(4), name: null, partial: true });
  expect(list.hasPartial(1)).toBe(true);
  list.complete([taskOf(4, { name: 'Order 4', status: 'pending', progress: 0, max_retries: 9 })]);
  expect(list.rows[0]).toMatchObject({
    name: 'Order 4',
    max_retries: 9,
    status: 'processing',
    progress: 70,
    partial: false,
  });
  expect(list.hasPartial(1)).toBe(false);
});

it('takes the words of an error from the task, as long as it is of the same attempt', () => {
  const { list, apply } = setup();
  const error = {
    name: 'Error',
    message: 'answered 503',
    stack: null,
    fingerprint: 'f',
    at: '2026-11-22T12:00:00.000Z',
  };
  const change = { status: 'retrying', attempts: 1, error: { name: 'Error', fingerprint: 'f' } } as const;
  apply(taskFrame(1, 'retrying', change), taskFrame(2, 'retrying', { ...change, attempts: 2 }));
  expect(list.hasPartial(50)).toBe(true);
  list.complete([taskOf(1, { attempts: 1, error }), taskOf(2, { attempts: 1, error })]);
  expect(list.rows.map((row) => row.error)).toEqual(['Error', 'Error: answered 503']);
});

it('says when a page brought nothing new, so that nobody reads on and on by itself', () => {
  const { list, ids } = setup();
  list.append({ tasks: [taskOf(1)], next_cursor: 'more', total: 9, total_exact: false, scanned: 5000 });
  expect([list.stalled, list.scanned, ids().length]).toEqual([true, 5000, 2]);
  list.append({ tasks: [taskOf(0)], next_cursor: 'more', total: 9, total_exact: false, scanned: 5000 });
  expect([list.stalled, list.scanned]).toEqual([false, 10_000]);
});
