/** The fields of the query language, what each costs, and how a term is written. Pure; no field is known anywhere else. */
export const FIELD_NAMES = [
  'state',
  'queue',
  'type',
  'tag',
  'owner',
  'error',
  'worker',
  'attempts',
  'created',
  'run',
  'priority',
  'payload',
  'id',
  'text',
] as const;
export type FieldName = (typeof FIELD_NAMES)[number];

/** One condition; all of a query hold at once. */
export interface Term {
  readonly field: FieldName;
  /** Of `payload.order.id`: `order.id`; else empty. */
  readonly path: string;
  /** Without quotes; with its sign where it compares: `>=3`, `>-2h`. */
  readonly value: string;
}

/** `indexed`: the server looks it up. `scan`: it reads records one by one, a bounded number for each page. */
export type Cost = 'indexed' | 'scan';

interface Field {
  readonly cost: Cost;
  /** An example that is offered behind the field's name. */
  readonly example: string;
  readonly means: string;
}

export const FIELDS: Readonly<Record<FieldName, Field>> = {
  state: { cost: 'indexed', example: 'failed,retrying', means: 'one state or several' },
  queue: { cost: 'indexed', example: 'payments', means: 'a queue' },
  type: { cost: 'indexed', example: 'charge.*', means: 'a task type' },
  tag: { cost: 'indexed', example: 'tenant-42', means: 'a tag' },
  owner: { cost: 'indexed', example: 'checkout', means: 'who submitted it' },
  error: { cost: 'indexed', example: 'ECONNRESET', means: 'the last error of failed tasks' },
  worker: { cost: 'scan', example: 'web-3*', means: 'the worker that has or had it' },
  attempts: { cost: 'scan', example: '>=3', means: 'executions started so far' },
  created: { cost: 'indexed', example: '>-2h', means: 'when it was submitted' },
  run: { cost: 'scan', example: '>30s', means: 'how long it has run' },
  priority: { cost: 'scan', example: '8', means: '1 to 10' },
  payload: { cost: 'scan', example: '1234', means: 'a value in the payload' },
  id: { cost: 'indexed', example: '01KA9Z6Q0MB0Q3T5V7X9YABCDE', means: 'one task' },
  text: { cost: 'scan', example: '"free text"', means: 'id, name, or text in the payload' },
};

/** `payload.order.id`, or the field's name. */
export const nameOf = (term: Pick<Term, 'field' | 'path'>): string =>
  term.field === 'payload' ? `payload.${term.path}` : term.field;

export const TASK_ID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/i;

const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
const isPlain = (value: string): boolean => /^[^\s"\\]+$/.test(value);

/** A term as it is typed. */
export function writeTerm(term: Term): string {
  if (term.field === 'text') {
    const plain = isPlain(term.value) && !term.value.includes(':') && !TASK_ID.test(term.value);
    return plain ? term.value : quote(term.value);
  }
  return `${nameOf(term)}:${isPlain(term.value) ? term.value : quote(term.value)}`;
}

/** `parseQuery` of it gives the same terms. */
export const writeQuery = (terms: readonly Term[]): string => terms.map(writeTerm).join(' ');
