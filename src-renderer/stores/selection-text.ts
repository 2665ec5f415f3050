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

/** In the order in which they are written. */
const FIELDS = [
  'status',
  'queue',
  'task_type',
  'tag',
  'owner',
  'error',
  'worker',
  'attempts_min',
  'run_min',
  'priority',
  'since',
  'until',
  'payload',
  'q',
] as const satisfies readonly (keyof TaskFilter)[];

const IDS_SHOWN = 3;
const PART = /(?:([a-z]+):)?(?:"((?:[^"\\]|\\.)*)"|(\S+))/g;

const list = (value: string | number | readonly (string | number)[]): string => [value].flat().join(',');
const quoted = (value: string): string => (/[\s":\\]/.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : value);

/** How each field of a filter is written; total, so that none is left out of what an operator agrees to. */
const WRITERS: { readonly [Field in keyof Required<TaskFilter>]: (value: NonNullable<TaskFilter[Field]>) => string } = {
  status: (value) => `state:${list(value)}`,
  queue: (value) => `queue:${list(value)}`,
  task_type: (value) => `type:${list(value)}`,
  tag: (value) => `tag:${quoted(value)}`,
  owner: (value) => `owner:${quoted(value)}`,
  error: (value) => `error:${quoted(value)}`,
  worker: (value) => `worker:${quoted(value)}`,
  attempts_min: (value) => `attempts:>=${value}`,
  run_min: (value) => `run:>=${value}s`,
  priority: (value) => `priority:${list(value)}`,
  since: (value) => `created:>=${value}`,
  until: (value) => `created:<${value}`,
  payload: (value) => value.map((match) => `payload.${match}`).join(' '),
  q: (value) => quoted(value),
};

const write = <Field extends keyof Required<TaskFilter>>(filter: TaskFilter, field: Field): string | null => {
  const value = filter[field];
  return value === undefined ? null : WRITERS[field](value as NonNullable<TaskFilter[Field]>);
};

/** `state:failed queue:payments error:4f1c9a "free text"` */
export const filterText = (filter: TaskFilter): string =>
  FIELDS.map((field) => write(filter, field))
    .filter((part) => part !== null)
    .join(' ');

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
    const value = inQuotes?.replace(/\\(.)/g, '$1') ?? bare ?? '';
    if (isTerm(name)) filter[TERMS[name]] = value;
    else free.push(name === undefined ? value : whole);
  }
  const q = free.join(' ').trim();
  return q === '' ? filter : { ...filter, q };
}

const isTerm = (name: string | undefined): name is Term => name !== undefined && Object.hasOwn(TERMS, name);
