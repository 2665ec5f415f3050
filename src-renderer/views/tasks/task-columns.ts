/** Columns of the task list: one that the query makes constant is left out, and why is said; what matters least makes room. Pure. */
import type { TimeDisplay } from '../../format';
import type { Term } from '../../query/fields';

interface TaskColumn {
  readonly id: string;
  readonly label: string;
  /** px; absent: what is left. */
  readonly px?: number;
  /** px where times are told by the clock. */
  readonly clockPx?: number;
  readonly num?: boolean;
}

const COLUMNS: readonly TaskColumn[] = [
  { id: 'state', label: 'State', px: 104 },
  { id: 'id', label: 'Id', px: 116 },
  { id: 'type', label: 'Type', px: 128 },
  { id: 'queue', label: 'Queue', px: 88 },
  { id: 'age', label: 'Age', px: 72, clockPx: 104, num: true },
  { id: 'attempt', label: 'Attempt', px: 60, num: true },
  { id: 'next', label: 'Next', px: 84, clockPx: 104, num: true },
  { id: 'run', label: 'Run', px: 64, num: true },
  { id: 'worker', label: 'Worker', px: 128 },
  { id: 'preview', label: 'Preview' },
];

const CHECKBOX_PX = 40;
/** What the preview needs to tell tasks apart. */
const PREVIEW_PX = 160;
/** Given up for it in this order; the inspector tells all of them of the task that is open. */
const SPARED = ['worker', 'run', 'next', 'attempt', 'queue'];

const ONE_VALUE = /^[^*,]+$/;

/**
 * @param widthPx of the list
 * @returns the columns that there is room for, and for each that the query hides a sentence such as `queue hidden: all payments`
 */
export function columnsFor(
  terms: readonly Term[],
  { widthPx, inspected, display }: { widthPx: number; inspected: boolean; display: TimeDisplay },
) {
  const hidden = new Map<string, string>();
  for (const { field, value } of terms)
    if ((field === 'queue' || field === 'type') && ONE_VALUE.test(value)) hidden.set(field, value);
  const pxOf = ({ px = 0, clockPx = px }: TaskColumn) => (display === 'relative' ? px : clockPx);
  let columns = COLUMNS.filter(({ id }) => !hidden.has(id) && !(inspected && id === 'worker'));
  const previewPx = () => widthPx - CHECKBOX_PX - columns.reduce((sum, column) => sum + pxOf(column), 0);
  for (const spared of SPARED) if (previewPx() < PREVIEW_PX) columns = columns.filter(({ id }) => id !== spared);
  return {
    columns: columns.map((column) => ({
      id: column.id,
      label: column.label,
      ...(column.px === undefined ? {} : { width: `${pxOf(column)}px` }),
      ...(column.num ? { num: true } : {}),
    })),
    reasons: [...hidden].map(([column, value]) => `${column} hidden: all ${value}`),
  };
}
