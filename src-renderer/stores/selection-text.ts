/**
 * A selection of tasks as text, and back: what stands in the field of a filter, what a dialog shows of what it is about
 * to do, and what an operation was started with. Pure.
 */
import type { TaskFilter } from '#queue/contract/task';

/** Either the ids of tasks, or what they have in common. */
export type Selection = { readonly ids: readonly string[] } | { readonly filter: TaskFilter };

/** Words of the text, and the field of the filter that each stands for. */
const TERMS = { queue: 'queue', type: 'task_type', tag: 'tag', owner: 'owner', error: 'error' } as const;
type Term = keyof typeof TERMS;

const IDS_SHOWN = 3;
const PART = /(?:([a-z]+):)?(?:"([^"]*)"|(\S+))/g;

const quoted = (value: string): string => (/[\s":]/.test(value) ? `"${value.replaceAll('"', '')}"` : value);

/** `state:failed queue:payments error:4f1c9a "free text"` */
export function filterText({ status, since, until, q, ...filter }: TaskFilter): string {
  const parts = status === undefined ? [] : [`state:${[status].flat().join(',')}`];
  for (const [term, field] of Object.entries(TERMS)) {
    const value = filter[field];
    if (value !== undefined) parts.push(`${term}:${quoted([value].flat().join(','))}`);
  }
  const { worker, attempts_min, run_min, priority, payload = [] } = filter;
  if (worker !== undefined) parts.push(`worker:${quoted(worker)}`);
  if (attempts_min !== undefined) parts.push(`attempts:>=${attempts_min}`);
  if (run_min !== undefined) parts.push(`run:>=${run_min}s`);
  if (priority !== undefined) parts.push(`priority:${[priority].flat().join(',')}`);
  for (const match of payload) parts.push(`payload.${match}`);
  if (since !== undefined) parts.push(`created:>=${since}`);
  if (until !== undefined) parts.push(`created:<${until}`);
  if (q !== undefined) parts.push(quoted(q));
  return parts.join(' ');
}

/** The query, or the ids, the first of them where they are many. */
export function selectionText(selection: Selection): string {
  if ('filter' in selection) return filterText(selection.filter) || 'every task';
  const { ids } = selection;
  const shown = ids.slice(0, IDS_SHOWN).join(', ');
  return `id:${shown}${ids.length > IDS_SHOWN ? ` and ${ids.length - IDS_SHOWN} more` : ''}`;
}

/** Reads what `filterText` writes, without states and times; words that name nothing are free text. */
export function parseFilter(text: string): TaskFilter {
  const filter: TaskFilter = {};
  const free: string[] = [];
  for (const [whole, name, inQuotes, bare] of text.matchAll(PART)) {
    const value = inQuotes ?? bare ?? '';
    if (isTerm(name)) filter[TERMS[name]] = value;
    else free.push(name === undefined ? value : whole);
  }
  const q = free.join(' ').trim();
  return q === '' ? filter : { ...filter, q };
}

const isTerm = (name: string | undefined): name is Term => name !== undefined && Object.hasOwn(TERMS, name);
