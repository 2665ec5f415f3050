/**
 * From terms to the parameters of `GET /api/tasks`. The contract's own schema says what the API can serve and what a
 * value may be, so a term that it cannot serve is an error with its place, never silently dropped. Pure.
 */
import { TaskQuery } from '#queue/contract/http-tasks';
import { TASK_STATUSES } from '#queue/contract/lifecycle';
import { TaskFilter } from '#queue/contract/task';
import { type FieldName, nameOf, type Term } from './fields';
import { parseDuration, parseMoment } from './moments';
import type { PlacedTerm, QueryError } from './parse-query';

/** As they stand in the address of the request; a list is a parameter that is there several times. */
export type QueryParams = Readonly<Record<string, string | readonly string[]>>;

/** Parameter of each field that has just one. */
const PARAMS: Readonly<Partial<Record<FieldName, string>>> = {
  queue: 'queue',
  type: 'task_type',
  tag: 'tag',
  owner: 'owner',
  error: 'error',
  worker: 'worker',
  priority: 'priority',
  id: 'q',
  text: 'q',
};

type Part = { param: string; value: string } | { message: string };

export interface QueryRequest {
  readonly params: QueryParams;
  readonly errors: readonly QueryError[];
}

/** @param now Unix ms: what `-2h` counts from */
export function toRequest(terms: readonly PlacedTerm[], now: number): QueryRequest {
  const params: Record<string, string | readonly string[]> = {};
  const errors: QueryError[] = [];
  for (const term of terms) {
    const part = partOf(term, now);
    const message = 'message' in part ? part.message : faultOf(term, part, params);
    if (message !== null) errors.push({ from: term.from, to: term.to, message });
    else if (!('message' in part))
      params[part.param] = part.param === 'payload' ? [...(params.payload ?? []), part.value] : part.value;
  }
  return { params, errors };
}

function partOf(term: Term, now: number): Part {
  const { field, value } = term;
  switch (field) {
    case 'state': {
      const unknown = value.split(',').find((name) => !TASK_STATUSES.some((status) => status === name));
      if (unknown !== undefined)
        return { message: `${unknown === '' ? 'Nothing' : unknown} is no state: ${TASK_STATUSES.join(', ')}.` };
      return { param: 'status', value };
    }
    case 'attempts':
      return leastNumber(value);
    case 'run':
      return leastDuration(value);
    case 'created':
      return boundOfTime(value, now);
    case 'payload':
      return { param: 'payload', value: `${term.path}:${value}` };
    default:
      return { param: PARAMS[field] ?? field, value };
  }
}

function leastNumber(value: string): Part {
  const [, sign, digits] = /^(>=?)(\d{1,9})$/.exec(value) ?? [];
  if (sign === undefined || digits === undefined)
    return { message: 'Write attempts with a lower bound: attempts:>=3.' };
  return { param: 'attempts_min', value: String(Number(digits) + (sign === '>' ? 1 : 0)) };
}

function leastDuration(value: string): Part {
  const ms = parseDuration(value.replace(/^>=?/, ''));
  if (!value.startsWith('>') || ms === null) return { message: 'Write how long it ran with a lower bound: run:>30s.' };
  return { param: 'run_min', value: String(Math.ceil(ms / 1000)) };
}

function boundOfTime(value: string, now: number): Part {
  const [, sign = '', moment = ''] = /^([<>]=?)(.+)$/.exec(value) ?? [];
  const at = sign === '' ? null : parseMoment(moment, now);
  if (at === null) return { message: 'Write created with < or >: created:>-2h, created:<2026-11-01, created:>14:30.' };
  return { param: sign.startsWith('>') ? 'since' : 'until', value: new Date(at).toISOString() };
}

function faultOf(term: Term, { param, value }: { param: string; value: string }, known: QueryParams): string | null {
  const name = nameOf(term);
  const shape: Readonly<Record<string, { safeParse: (value: unknown) => { success: boolean; error?: unknown } }>> =
    TaskQuery.shape;
  const schema = shape[param];
  if (schema === undefined) return `This server cannot filter by ${name}.`;
  if (known[param] !== undefined && param !== 'payload') return `${name} is there twice; the list takes one.`;
  const checked = schema.safeParse(value);
  if (checked.success) return null;
  if (/[*,]/.test(value)) return `This server takes one whole ${name}, no list and no * in it.`;
  return `${name} ${messageOf(checked.error)}.`;
}

function messageOf(error: unknown): string {
  const issues = typeof error === 'object' && error !== null && 'issues' in error ? error.issues : [];
  const first: unknown = Array.isArray(issues) ? issues[0] : undefined;
  const message = typeof first === 'object' && first !== null && 'message' in first ? first.message : '';
  return typeof message === 'string' && message !== ''
    ? message.replace(/^Invalid/, 'is not valid: invalid')
    : 'is not valid';
}

const NUMBERS = ['attempts_min', 'run_min'];
const LISTS = ['status', 'queue', 'task_type', 'priority'];

/** The same selection for an operation on many tasks; null where operations cannot be told of a term. */
export function toFilter(params: QueryParams): TaskFilter | null {
  const filter: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(params)) {
    if (NUMBERS.includes(name)) filter[name] = Number(value);
    else if (!LISTS.includes(name)) filter[name] = value;
    else {
      const items = [value].flat().flatMap((part) => part.split(','));
      const read = name === 'priority' ? items.map(Number) : items;
      filter[name] = read.length === 1 && name !== 'status' ? read[0] : read;
    }
  }
  const read = TaskFilter.safeParse(filter);
  return read.success ? read.data : null;
}
