import { expect, it } from 'vitest';
import type { Term } from '../../src-renderer/query/fields';
import { columnsFor } from '../../src-renderer/views/tasks/task-columns';

const QUEUE: Term = { field: 'queue', path: '', value: 'payments' };
const shape = (widthPx: number, more: Partial<Parameters<typeof columnsFor>[1]> = {}, terms: readonly Term[] = []) =>
  columnsFor(terms, { widthPx, inspected: false, display: 'relative', ...more });
const ids = (...given: Parameters<typeof shape>) => shape(...given).columns.map(({ id }) => id);
/** What is left for the preview, beside the boxes. */
const previewPx = (widthPx: number, ...given: [Parameters<typeof shape>[1]?, (readonly Term[])?]) =>
  widthPx - 40 - shape(widthPx, ...given).columns.reduce((sum, { width = '0' }) => sum + Number.parseInt(width, 10), 0);

it('shows every column where there is room', () => {
  expect(ids(1280)).toEqual(['state', 'id', 'type', 'queue', 'age', 'attempt', 'next', 'run', 'worker', 'preview']);
});

it('gives up what matters least first, so that the preview can be read', () => {
  expect(ids(976)).not.toContain('worker');
  expect(ids(976)).toContain('run');
  expect(ids(860, { inspected: true })).not.toContain('run');
  expect(ids(596, { inspected: true })).toEqual(['state', 'id', 'type', 'age', 'preview']);
  for (const width of [700, 860, 976, 1080, 1280, 1720]) expect(previewPx(width)).toBeGreaterThanOrEqual(140);
});

it('hides what the query makes the same everywhere, says so, and gives its room to the preview', () => {
  expect(shape(860, { inspected: true }, [QUEUE]).reasons).toEqual(['queue hidden: all payments']);
  expect(ids(860, { inspected: true }, [QUEUE])).toEqual([
    'state',
    'id',
    'type',
    'age',
    'attempt',
    'next',
    'run',
    'preview',
  ]);
});

it('has room for a date where times are told by the clock', () => {
  const age = (display: 'relative' | 'utc') =>
    Number.parseInt(shape(1280, { display }).columns.find(({ id }) => id === 'age')?.width ?? '', 10);
  expect(age('utc')).toBeGreaterThan(age('relative'));
});
