import { expect, it } from 'vitest';
import {
  formatAge,
  formatAttempts,
  formatBytes,
  formatDuration,
  formatNumber,
  formatUntil,
  shortId,
  splitError,
  timeOfTaskId,
} from '../../src-renderer/format';
import { href, parseRoute, tasksHref, tasksOf } from '../../src-renderer/router.svelte';

it.each([
  [0, '0 ms'],
  [840, '840 ms'],
  [2400, '2.4 s'],
  [42_000, '42 s'],
  [192_000, '3m 12s'],
  [14_760_000, '4h 06m'],
  [273_600_000, '3d 04h'],
])('writes %d ms as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

it('groups digits with thin spaces', () => {
  expect(formatNumber(12_482)).toBe('12\u2009482');
  expect(formatNumber(-1_234_567.5, 1)).toBe('−1\u2009234\u2009567.5');
});

it('never tells a negative age, and says when something is due', () => {
  expect(formatAge('2026-11-22T12:00:10.000Z', Date.UTC(2026, 10, 22, 12))).toBe('0 s');
  expect(formatUntil('2026-11-22T12:02:12.000Z', Date.UTC(2026, 10, 22, 12))).toBe('in 2m 12s');
  expect(formatUntil('2026-11-22T12:00:00.000Z', Date.UTC(2026, 10, 22, 12))).toBe('due');
});

it('writes bytes in binary units', () => {
  expect([212, 38_912, 1_288_490_189].map(formatBytes)).toEqual(['212 B', '38.0 KiB', '1.2 GiB']);
});

it('writes ids of one queue and one moment so that they differ', () => {
  const ids = ['01M826AC4HZQ0V5T7B3K8M97C5', '01M826AC4HZQ0V5T7B3K8N97C5'];
  expect(shortId('01M7T463VGWF73YNPHVF3YCNZ0')).toBe('YNPHVF3Y');
  expect(new Set(ids.map(shortId)).size).toBe(2);
  expect(shortId('short')).toBe('short');
});

it('counts attempts against what is allowed, until a requeue has given more', () => {
  expect(formatAttempts(0, 3)).toBe('0/4');
  expect(formatAttempts(4, 3)).toBe('4/4');
  expect(formatAttempts(2, 0)).toBe('2');
  expect(formatAttempts(1, null)).toBe('1');
});

it('keeps the end of an error in sight, and drops what every error has', () => {
  const { head, tail } = splitError('Error: GET http://127.0.0.1:44069 answered 503: {"stock":12}');
  expect(head + tail).toBe('GET 127.0.0.1:44069 answered 503: {"stock":12}');
  expect(tail).toBe(' 503: {"stock":12}');
  expect(splitError('FatalError: no such order')).toEqual({ head: '', tail: 'no such order' });
  expect(splitError('TimeoutError:\n  slow')).toEqual({ head: '', tail: 'TimeoutError: slow' });
});

it('reads the moment out of a task id', () => {
  expect(timeOfTaskId('01ARZ3NDEKTSV4RRFFQ69G5FAV')).toBe('2016-07-30T23:54:10.259Z');
});

it('reads back the address of a filtered list, also of an older console, and nothing that is no state', () => {
  const address = tasksHref(
    { status: 'failed', queue: 'a.b', type: 'email', text: 'x & y' },
    '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  );
  expect(tasksOf(parseRoute(address))).toEqual({
    query: 'state:failed queue:a.b type:email "x & y"',
    taskId: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    wholePage: false,
  });
  expect(tasksOf(parseRoute('#/tasks?status=failed&q=x&id=1'))).toMatchObject({ query: 'state:failed x', taskId: '1' });
  expect(tasksOf(parseRoute('#/tasks?status=lost'))).toMatchObject({ query: '', taskId: null });
  expect(tasksOf(parseRoute('#/tasks/01ARZ'))).toMatchObject({ taskId: '01ARZ', wholePage: true });
  expect(parseRoute('')).toEqual({ view: 'overview', rest: [], query: {} });
  expect(parseRoute('#/no-such-view/x')).toEqual({ view: 'overview', rest: [], query: {} });
});

it('keeps parts of an address apart, whatever is in them', () => {
  const address = href('queues', ['a/b %'], { range: '6h', none: null, empty: '' });
  expect(parseRoute(address)).toEqual({ view: 'queues', rest: ['a/b %'], query: { range: '6h' } });
});
