/** A row of a file as the task that it means, or what is wrong with it. Pure. */
import { LIMITS } from '#queue/contract/limits';
import { findPayloadFault } from '#queue/contract/payload';
import { SubmitTask, type SubmitTaskInput } from '#queue/contract/task';
import { formatBytes } from '../format';
import { lossyNumber } from './json-place';
import { isObject } from './json-schema';
import { payloadFields } from './payload-fields';
import { guessValue, readText, withValue } from './payload-text';
import type { RawRow } from './row-splitter';
import { bytesOf } from './submit-faults';

export type FileFormat = 'jsonl' | 'csv';

export interface RowTerms {
  readonly format: FileFormat;
  /** First row of a CSV. */
  readonly columns: readonly string[];
  /** For rows that name none; empty where there is none. */
  readonly type: string;
  readonly queue: string;
  /** JSON Schema of a type's payload: tells a number from a text in a CSV. */
  readonly schemaOf: (type: string) => unknown;
}

export type ReadRow = { readonly task: SubmitTaskInput } | { readonly fault: string };

const NUMBERS = ['priority', 'max_retries', 'timeout'];
const LISTS = ['tags', 'depends_on'];
const PLAIN = [
  'task_type',
  'queue',
  'name',
  'run_at',
  'expires_at',
  'unique_key',
  'idempotency_key',
  'owner',
  'durability',
];

/** @returns why these cannot be the columns of a CSV; empty where they can */
export function columnsFault(columns: readonly string[]): string {
  const unknown = columns.filter(
    (name) => ![...NUMBERS, ...LISTS, ...PLAIN, 'payload'].includes(name) && !/^payload\../.test(name),
  );
  if (unknown.length > 0) return `No field is called ${unknown.map((name) => `"${name}"`).join(', ')}`;
  const twice = columns.filter((name, n) => columns.indexOf(name) < n);
  return twice.length > 0 ? `The column ${twice[0]} is there twice` : '';
}

export function readRow(row: RawRow, terms: RowTerms): ReadRow {
  const read = terms.format === 'csv' ? ofCells(row.cells, terms) : ofLine(row.text);
  if ('fault' in read) return read;
  const named: Record<string, unknown> = {
    ...(terms.type === '' ? {} : { task_type: terms.type }),
    ...(terms.queue === '' ? {} : { queue: terms.queue }),
    ...read.value,
  };
  const fault = findPayloadFault(named.payload) ?? null;
  if (fault !== null) return { fault: `${fault.path} ${fault.message}` };
  const checked = SubmitTask.safeParse(named);
  if (!checked.success) {
    const words = checked.error.issues.map(({ path, message }) =>
      path.length === 0 ? message : `${path.join('.')}: ${message}`,
    );
    return { fault: named.task_type === undefined ? 'task_type is required' : words.join('; ') };
  }
  const bytes = bytesOf(JSON.stringify(named.payload ?? {}));
  if (bytes > LIMITS.payloadBytes)
    return { fault: `payload has ${formatBytes(bytes)}, ${formatBytes(LIMITS.payloadBytes)} is the most` };
  return { task: named as unknown as SubmitTaskInput };
}

type Values = { readonly value: Record<string, unknown> } | { readonly fault: string };

function ofLine(text: string): Values {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) return { fault: 'is no JSON object' };
    const lossy = lossyNumber(text);
    return lossy === null ? { value } : { fault: `${lossy} has more digits than a browser keeps: put it in quotes` };
  } catch (error) {
    return { fault: `is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** An empty cell is a field that is not there. */
function ofCells(cells: readonly string[], terms: RowTerms): Values {
  const { columns } = terms;
  if (cells.length !== columns.length)
    return { fault: `has ${cells.length} cells, the first line has ${columns.length}` };
  const cellOf = (name: string) => cells[columns.indexOf(name)] ?? '';
  const value: Record<string, unknown> = {};
  let payload: unknown = {};
  const fields = new Map(
    payloadFields(terms.schemaOf(cellOf('task_type') || terms.type)).map((field) => [`payload.${field.name}`, field]),
  );
  for (const [n, name] of columns.entries()) {
    const cell = cells[n] ?? '';
    if (cell === '') continue;
    if (name === 'payload') {
      const read = ofLine(cell);
      if ('fault' in read) return { fault: `payload ${read.fault}` };
      payload = read.value;
    } else if (name.startsWith('payload.')) {
      const field = fields.get(name);
      payload = withValue(
        payload,
        name.split('.').slice(1),
        field === undefined ? guessValue(cell) : readText(cell, field),
      );
    } else if (NUMBERS.includes(name)) value[name] = cell.trim() === '' ? cell : Number(cell);
    else if (LISTS.includes(name))
      value[name] = cell
        .split(/[;,]/)
        .map((each) => each.trim())
        .filter((each) => each !== '');
    else value[name] = cell;
  }
  return { value: { ...value, payload } };
}
