/**
 * A record, and how its fields are read and compared. Only own properties count: a record may have come from anywhere,
 * and a field named `constructor` or `toString` that it does not have must be absent.
 */
import { z } from 'zod';

export type Row = Record<string, unknown>;

/** Field names that a payload may make; `__proto__` would change the record's prototype instead. */
export const FieldName = z
  .string()
  .min(1)
  .max(200)
  .refine((name) => name !== '__proto__', 'is not allowed as a field name');

/** A record as it is; anything else becomes `{ value }`. */
export const toRow = (value: unknown): Row => (isRow(value) ? value : { value });

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads a field by name, or by a dotted path where no field has the whole name; undefined where it is absent. */
export function fieldReader(name: string): (row: Row) => unknown {
  if (!name.includes('.')) return (row) => (Object.hasOwn(row, name) ? row[name] : undefined);
  const segments = name.split('.');
  return (row) => {
    if (Object.hasOwn(row, name)) return row[name];
    let current: unknown = row;
    for (const segment of segments) {
      if (typeof current !== 'object' || current === null || !Object.hasOwn(current, segment)) return undefined;
      current = (current as Row)[segment];
    }
    return current;
  };
}

const NUMERIC = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** A finite number, or text that is one; null for all else. */
export function toNumber(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'string') return null;
  const text = value.trim();
  if (!NUMERIC.test(text)) return null;
  const number = Number(text);
  return Number.isFinite(number) ? number : null;
}

const RANK: Partial<Record<string, number>> = { boolean: 0, number: 1, string: 2, object: 3 };
const rank = (value: unknown): number => (value === null || value === undefined ? 4 : (RANK[typeof value] ?? 3));

/**
 * A total order: numbers (text that is a number, beside a number, included) by value, text by code unit, objects by
 * their JSON; kinds among each other as booleans, numbers, text, objects, and what is absent or null last.
 */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === 'number' || typeof b === 'number') {
    const left = toNumber(a);
    const right = toNumber(b);
    if (left !== null && right !== null) return left - right;
  }
  const order = rank(a) - rank(b);
  if (order !== 0 || rank(a) === 4) return order;
  if (typeof a === 'object') return compareValues(JSON.stringify(a), JSON.stringify(b));
  return Number(a) - Number(b);
}

/** A text that two values share when they are the same value of the same kind. */
export function valueKey(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  return typeof value === 'object' ? `json:${JSON.stringify(value)}` : `${typeof value}:${String(value)}`;
}

/** What a cell of a CSV, a sheet or a table shows. */
export function cellText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
