/**
 * What the task list is narrowed to: the parameters that the server is asked with, and what can be told of a changed
 * task without asking. A summary has no tag, owner, payload or run time: by these a row may stay but none may join. Pure.
 */
import type { TaskSummary } from '#queue/contract/stream';
import { timeOfTaskId } from '../format';
import type { Cost, Term } from './fields';
import { FIELDS } from './fields';
import { type ParsedQuery, parseQuery } from './parse-query';
import { type QueryParams, toRequest } from './query-request';

export interface ListScope {
  /** As it was typed. */
  readonly text: string;
  readonly terms: readonly Term[];
  readonly params: QueryParams;
}

export const EVERYTHING: ListScope = { text: '', terms: [], params: {} };

export interface ReadQuery extends ParsedQuery {
  /** Null where there is an error. */
  readonly scope: ListScope | null;
}

export function readQuery(text: string, now: number): ReadQuery {
  const { terms, errors } = parseQuery(text);
  const request = toRequest(terms, now);
  const all = [...errors, ...request.errors].sort((a, b) => a.from - b.from);
  return { terms, errors: all, scope: all.length > 0 ? null : { text, terms, params: request.params } };
}

export const costOf = (terms: readonly Term[]): Cost =>
  terms.some(({ field }) => FIELDS[field].cost === 'scan') ? 'scan' : 'indexed';

/** Tasks come into it by what happens to them, not only when they are submitted. */
export const isByState = ({ params }: ListScope): boolean => params.status !== undefined;

type Verdict = boolean | 'unknown';

const inList = (list: string, value: string): boolean =>
  list.split(',').some((item) => (item.endsWith('*') ? value.startsWith(item.slice(0, -1)) : item === value));

function holds({ field, value }: Term, task: TaskSummary, params: QueryParams): Verdict {
  switch (field) {
    case 'state':
      return inList(value, task.status);
    case 'queue':
      return inList(value, task.queue);
    case 'type':
      return inList(value, task.task_type);
    case 'id':
      return value === task.id;
    case 'priority':
      return task.priority === undefined ? 'unknown' : String(task.priority) === value;
    case 'worker':
      return task.worker_id ? inList(value, task.worker_id) : 'unknown';
    case 'attempts':
      return task.attempts === undefined ? 'unknown' : task.attempts >= Number(params.attempts_min);
    case 'created': {
      const at = timeOfTaskId(task.id);
      return (
        (params.since === undefined || at >= String(params.since)) &&
        (params.until === undefined || at < String(params.until))
      );
    }
    default:
      return 'unknown';
  }
}

/** What cannot be told keeps a row where it is. */
export const staysIn = ({ terms, params }: ListScope, task: TaskSummary): boolean =>
  terms.every((term) => holds(term, task, params) !== false);

/** What cannot be told lets no row in: the server has to answer that. */
export const mayJoin = ({ terms, params }: ListScope, task: TaskSummary): boolean =>
  terms.every((term) => holds(term, task, params) === true);
