/** Changes of a query by a click or a key: a term set, taken away, or turned back into text. Pure. */
import { TASK_STATUSES, type TaskStatus } from '#queue/contract/lifecycle';
import { type FieldName, type Term, writeQuery } from './fields';
import { readQuery } from './list-scope';
import { parseQuery } from './parse-query';

/** Lists that are asked for again and again. */
export const PRESETS = [
  { id: 'all', label: 'All', state: '' },
  { id: 'unresolved', label: 'Unresolved', state: 'failed,retrying' },
  { id: 'running', label: 'Running', state: 'processing' },
  { id: 'scheduled', label: 'Scheduled', state: 'scheduled' },
] as const;
export type PresetId = (typeof PRESETS)[number]['id'];

/** Keys 1 to 8. */
export const STATES_BY_KEY: readonly TaskStatus[] = [
  'scheduled',
  'pending',
  'processing',
  'retrying',
  'completed',
  'failed',
  'cancelled',
  'blocked',
];

/** The term goes where another of its field stood, else to the front for a state and to the end for others. */
export function setTerm(terms: readonly Term[], field: FieldName, value: string): Term[] {
  const at = terms.findIndex((term) => term.field === field);
  const rest = terms.filter((term) => term.field !== field);
  if (value === '') return rest;
  const index = at >= 0 ? Math.min(at, rest.length) : field === 'state' ? 0 : rest.length;
  return [...rest.slice(0, index), { field, path: '', value }, ...rest.slice(index)];
}

/** The preset whose state the query has; null for any other state. */
export function presetOf(terms: readonly Term[]): PresetId | null {
  const states = terms.find(({ field }) => field === 'state')?.value ?? '';
  const key = (list: string) => list.split(',').sort().join(',');
  return PRESETS.find(({ state }) => key(state) === key(states))?.id ?? null;
}

export const withState = (text: string, state: string): string =>
  writeQuery(setTerm(parseQuery(text).terms, 'state', state));

/** What the address had before it had a query: still understood. */
export function queryOfOldLink(query: Readonly<Record<string, string>>): string {
  const parts: [FieldName, string | undefined][] = [
    ['state', TASK_STATUSES.find((status) => status === query.status)],
    ['queue', query.queue],
    ['type', query.type],
    ['text', query.q],
  ];
  return writeQuery(parts.flatMap(([field, value]) => (value ? [{ field, path: '', value }] : [])));
}

/** A query as the bar shows it: what is right as chips, what is wrong as text that can be mended. */
export function splitQuery(text: string, now: number): { chips: Term[]; draft: string } {
  const { terms, errors } = readQuery(text, now);
  const chips = terms
    .filter((term) => !errors.some(({ from, to }) => from < term.to && term.from < to))
    .map(({ field, path, value }) => ({ field, path, value }));
  return { chips, draft: errors.map(({ from, to }) => text.slice(from, to)).join(' ') };
}
