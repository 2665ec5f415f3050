/** Columns of the task list: one that the query makes constant is left out, and why is said. Pure. */
import type { Term } from '../../query/fields';

const COLUMNS = [
  { id: 'state', label: 'State', width: '108px' },
  { id: 'id', label: 'Id', width: '120px' },
  { id: 'type', label: 'Type', width: '132px' },
  { id: 'queue', label: 'Queue', width: '96px' },
  { id: 'age', label: 'Age', width: '76px', num: true },
  { id: 'attempt', label: 'Attempt', width: '64px', num: true, fine: true },
  { id: 'next', label: 'Next', width: '88px', num: true, fine: true },
  { id: 'run', label: 'Run', width: '72px', num: true, fine: true },
  { id: 'worker', label: 'Worker', width: '128px', wide: true },
  { id: 'preview', label: 'Preview' },
] as const;

const ONE_VALUE = /^[^*,]+$/;

/**
 * @param inspected the inspector stands beside the list and tells the worker
 * @returns the columns that are left, and for each that the query hides a sentence such as `queue hidden: all payments`
 */
export function columnsFor(terms: readonly Term[], inspected = false) {
  const hidden = new Map<string, string>();
  for (const { field, value } of terms)
    if ((field === 'queue' || field === 'type') && ONE_VALUE.test(value)) hidden.set(field, value);
  return {
    columns: COLUMNS.filter(({ id }) => !hidden.has(id) && !(inspected && id === 'worker')),
    reasons: [...hidden].map(([column, value]) => `${column} hidden: all ${value}`),
  };
}
