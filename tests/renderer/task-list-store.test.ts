import { expect, it } from 'vitest';
import { timeOfTaskId } from '../../src-renderer/format';
import { TaskListStore } from '../../src-renderer/stores/task-list-store.svelte';
import { type ListFilter, NO_FILTER } from '../../src-renderer/stores/task-row';
import { idOf, taskOf } from '../support/wire';
import { taskFrame } from './support';

function setup(filter: Partial<ListFilter> = {}, maxRows?: number) {
  const list = new TaskListStore(maxRows);
  list.begin({ ...NO_FILTER, ...filter });
  list.replace({
    tasks: [taskOf(2, { status: filter.status || 'pending' }), taskOf(1, { status: filter.status || 'pending' })],
    next_cursor: 'more',
    total: 9,
    total_exact: true,
  });
  return { list, ids: () => list.rows.map((row) => row.id) };
}

it('puts a new task at the top while the reader follows', () => {
  const { list, ids } = setup();
  list.apply([taskFrame(3), taskFrame(4)]);
  expect(ids()).toEqual([idOf(4), idOf(3), idOf(2), idOf(1)]);
  expect(list.rows[0]?.created_at).toBe(timeOfTaskId(idOf(4)));
});

it('keeps new tasks waiting while the reader is elsewhere, and shows them when asked', () => {
  const { list, ids } = setup();
  list.follow(false);
  list.apply([taskFrame(3)]);
  list.apply([taskFrame(3, 'started', { status: 'processing', attempts: 1 }), taskFrame(4)]);
  expect(ids()).toEqual([idOf(2), idOf(1)]);
  expect(list.waiting.map((row) => row.id)).toEqual([idOf(3), idOf(4)]);
  list.follow(true);
  expect(ids()).toEqual([idOf(4), idOf(3), idOf(2), idOf(1)]);
  expect(list.rows[1]).toMatchObject({ status: 'processing', attempts: 1 });
  expect(list.waiting).toEqual([]);
});

it('changes a row in place, and keeps what the frame does not tell', () => {
  const { list, ids } = setup();
  list.apply([taskFrame(1, 'started', { status: 'processing', attempts: 1, worker_id: 'w-1' })]);
  list.apply([taskFrame(1, 'progress', { status: 'processing', progress: 40, progress_message: 'half' })]);
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
  const { list } = setup({ status: 'pending' });
  list.apply([taskFrame(1, 'started', { status: 'processing' }), taskFrame(2, 'removed')]);
  expect(list.rows.map((row) => row.left)).toEqual([true, true]);
  list.apply([taskFrame(1, 'released', { status: 'pending' })]);
  expect(list.rows[1]?.left).toBe(false);
});

it('takes in tasks that come to the status it is narrowed to', () => {
  const { list, ids } = setup({ status: 'failed' });
  list.apply([
    taskFrame(7, 'created'),
    taskFrame(8, 'failed', { status: 'failed' }),
    taskFrame(9, 'failed', { status: 'failed', queue: 'default' }),
  ]);
  expect(ids()).toEqual([idOf(9), idOf(8), idOf(2), idOf(1)]);
});

it.each([
  ['another queue', { queue: 'emails' }, taskFrame(3, 'created', { queue: 'images' })],
  ['another type', { type: 'email' }, taskFrame(3, 'created', { task_type: 'thumbnail' })],
  ['a search, which only the server can answer', { text: 'order' }, taskFrame(3)],
  ['an old task that makes progress', {}, taskFrame(3, 'progress', { status: 'processing' })],
])('takes in nothing of %s', (_, filter, frame) => {
  const { list, ids } = setup(filter);
  list.apply([frame]);
  expect(ids()).toEqual([idOf(2), idOf(1)]);
});

it('forgets a waiting row that is removed before it was shown', () => {
  const { list } = setup();
  list.follow(false);
  list.apply([taskFrame(3)]);
  list.apply([taskFrame(3, 'removed')]);
  expect(list.waiting).toEqual([]);
});

it('adds a page without repeating rows that have moved meanwhile', () => {
  const { list, ids } = setup();
  list.append({ tasks: [taskOf(1), taskOf(0)], next_cursor: null, total: 9, total_exact: true });
  expect(ids()).toEqual([idOf(2), idOf(1), idOf(0)]);
  expect(list.nextCursor).toBeNull();
});

it('keeps its rows while the same filter is read again, and drops them for another', () => {
  const { list, ids } = setup();
  list.begin(list.filter);
  expect(ids()).toHaveLength(2);
  list.begin({ ...NO_FILTER, queue: 'emails' });
  expect(ids()).toEqual([]);
  expect(list.loaded).toBe(false);
});

it('stays within its bound, waiting rows included', () => {
  const { list } = setup({}, 3);
  list.follow(false);
  list.apply([taskFrame(3), taskFrame(4), taskFrame(5), taskFrame(6)]);
  expect(list.waiting.map((row) => row.id)).toEqual([idOf(4), idOf(5), idOf(6)]);
  list.follow(true);
  expect(list.overfull).toBe(true);
  list.trim();
  expect(list.rows.map((row) => row.id)).toEqual([idOf(6), idOf(5), idOf(4)]);
});

it('completes rows that frames have made, and leaves what has changed since the read', () => {
  const { list } = setup();
  list.apply([
    taskFrame(3, 'started', { status: 'processing' }),
    taskFrame(4),
    taskFrame(4, 'started', { status: 'processing', attempts: 1, progress: 70 }),
  ]);
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
  const { list } = setup();
  const error = {
    name: 'Error',
    message: 'answered 503',
    stack: null,
    fingerprint: 'f',
    at: '2026-11-22T12:00:00.000Z',
  };
  const change = { status: 'retrying', attempts: 1, error: { name: 'Error', fingerprint: 'f' } } as const;
  list.apply([taskFrame(1, 'retrying', change), taskFrame(2, 'retrying', { ...change, attempts: 2 })]);
  expect(list.hasPartial(50)).toBe(true);
  list.complete([taskOf(1, { attempts: 1, error }), taskOf(2, { attempts: 1, error })]);
  expect(list.rows.map((row) => row.error)).toEqual(['Error', 'Error: answered 503']);
});
