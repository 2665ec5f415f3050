/**
 * What may follow what is being typed: names of fields, values of a field with how many tasks have them, and the same
 * words as a search. Values come from what the console knows already and from the server. Pure.
 */
import { TASK_STATUSES } from '#queue/contract/lifecycle';
import { type Cost, FIELD_NAMES, FIELDS, type FieldName, writeTerm } from './fields';

export interface Suggestion {
  /** Replaces what is typed. */
  readonly text: string;
  /** `error:`, shown quietly. */
  readonly key: string;
  readonly value: string;
  readonly cost: Cost;
  readonly count: number | null;
  readonly note: string;
  /** A field's name alone: the value comes next. */
  readonly open: boolean;
}

export interface KnownValue {
  readonly value: string;
  readonly count: number | null;
  /** What it stands for, where it does not say so itself; searched as well. */
  readonly note?: string;
}

/** What is being typed: the text behind the last blank that is not in quotes. */
export interface Draft {
  /** Null while the name of the field is being typed. */
  readonly field: FieldName | null;
  /** What stands before the value's part that is completed: `failed,` of `state:failed,re`. */
  readonly before: string;
  readonly typed: string;
}

export const SUGGESTIONS_MAX = 9;

export function draftOf(text: string): Draft {
  const colon = text.indexOf(':');
  const name = colon < 0 ? '' : text.slice(0, colon);
  const field = FIELD_NAMES.find((known) => known === name && known !== 'text' && known !== 'payload') ?? null;
  if (field === null) return { field: null, before: '', typed: text };
  const value = text.slice(colon + 1).replace(/^"/, '');
  const comma = field === 'state' ? value.lastIndexOf(',') + 1 : 0;
  return { field, before: value.slice(0, comma), typed: value.slice(comma) };
}

/** @param values of the draft's field: the most frequent first */
export function suggest(text: string, values: readonly KnownValue[]): Suggestion[] {
  const draft = draftOf(text);
  const typed = draft.typed.toLowerCase();
  const found: Suggestion[] = [];
  if (draft.field === null) {
    for (const field of FIELD_NAMES) {
      if (field === 'text' || (typed !== '' && !field.startsWith(typed))) continue;
      const key = field === 'payload' ? 'payload.' : `${field}:`;
      const { cost, example, means } = FIELDS[field];
      const shown = field === 'payload' ? 'order.id:1234' : example;
      found.push({ text: key, key, value: '', cost, count: null, note: `${means}, as ${shown}`, open: true });
    }
  } else {
    const { field, before } = draft;
    const { cost, example } = FIELDS[field];
    const known: readonly KnownValue[] =
      field === 'state'
        ? TASK_STATUSES.map((value) => values.find((each) => each.value === value) ?? { value, count: null })
        : values;
    const taken = new Set(before.split(','));
    for (const { value, count, note = '' } of known) {
      if (!`${value} ${note}`.toLowerCase().includes(typed) || taken.has(value)) continue;
      const whole = `${before}${value}`;
      const written = writeTerm({ field, path: '', value: whole });
      found.push({ text: written, key: `${field}:`, value: whole, cost, count, note, open: false });
    }
    found.sort(
      (a, b) => Number(b.value.toLowerCase().startsWith(typed)) - Number(a.value.toLowerCase().startsWith(typed)),
    );
    if (draft.typed === '' && found.length === 0)
      found.push({
        text: `${field}:`,
        key: `${field}:`,
        value: '',
        cost,
        count: null,
        note: `such as ${example}`,
        open: true,
      });
  }
  return [...found.slice(0, SUGGESTIONS_MAX), ...asSearch(draft)];
}

/** The words themselves, looked for in ids, names and payloads. */
function asSearch({ field, typed }: Draft): Suggestion[] {
  const words = typed.replace(/"/g, '').trim();
  if (words === '' || field === 'state' || field === 'id' || words.endsWith(':')) return [];
  const text = writeTerm({ field: 'text', path: '', value: words });
  return [{ text, key: 'text:', value: `"${words}"`, cost: 'scan', count: null, note: 'reads payloads', open: false }];
}
