/** Steps that look at one record at a time: filter and map. */
import type { z } from 'zod';
import { compareValues, fieldReader, type Row, toNumber } from '../records/row';
import { compileExpression } from './expression';
import { eachRow, type Stage } from './stage';
import type { Filter, MapStep } from './steps';

type FilterStep = z.infer<typeof Filter>;

/** Does a value pass? Text that is a number equals that number; an absent field only equals null. */
const same = (a: unknown, b: unknown): boolean => {
  if (a === null || a === undefined || b === null || b === undefined) return (a ?? null) === (b ?? null);
  if (typeof a === 'object') return false;
  if (typeof a === 'boolean' || typeof b === 'boolean') return String(a) === String(b);
  return compareValues(a, b) === 0;
};

/** Only values of one kind have an order that means something to the author of a filter. */
function ordered(value: unknown, wanted: unknown): number | null {
  if (value === null || value === undefined) return null;
  const comparable = typeof value === typeof wanted || (toNumber(value) !== null && toNumber(wanted) !== null);
  return comparable ? compareValues(value, wanted) : null;
}

const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value).toLowerCase());
const list = (value: FilterStep['value']): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** Membership of primitives by set, so that a list of 10 000 costs no more than one of ten. */
function membership(value: FilterStep['value']): (found: unknown) => boolean {
  const wanted = new Set(
    list(value).map((item) => (item === null || item === undefined ? null : String(toNumber(item) ?? item))),
  );
  return (found) =>
    typeof found === 'object' && found !== null
      ? false
      : wanted.has(found === null || found === undefined ? null : String(toNumber(found) ?? found));
}

function condition({ op, value }: FilterStep): (found: unknown) => boolean {
  const order = (test: (order: number) => boolean) => (found: unknown) => {
    const result = ordered(found, value);
    return result !== null && test(result);
  };
  const needle = text(value);
  switch (op) {
    case 'eq':
      return (found) => same(found, value);
    case 'ne':
      return (found) => !same(found, value);
    case 'gt':
      return order((result) => result > 0);
    case 'gte':
      return order((result) => result >= 0);
    case 'lt':
      return order((result) => result < 0);
    case 'lte':
      return order((result) => result <= 0);
    case 'in':
      return membership(value);
    case 'not_in': {
      const isIn = membership(value);
      return (found) => !isIn(found);
    }
    case 'contains':
      return (found) => (Array.isArray(found) ? found.some((item) => same(item, value)) : text(found).includes(needle));
    case 'starts_with':
      return (found) => text(found).startsWith(needle);
    case 'ends_with':
      return (found) => text(found).endsWith(needle);
    case 'exists':
      return (found) => found !== null && found !== undefined;
    case 'missing':
      return (found) => found === null || found === undefined;
  }
}

export function filterStage(step: FilterStep): Stage {
  const read = fieldReader(step.field);
  const passes = condition(step);
  return eachRow((rows) => rows.filter((row) => passes(read(row))));
}

/** In this order: compute and set, from the record as it came; then rename, drop, keep. */
export function mapStage(step: z.infer<typeof MapStep>): Stage {
  const computed = Object.entries(step.compute ?? {}).map(
    ([name, source]) => [name, compileExpression(source)] as const,
  );
  const renames = new Map(Object.entries(step.rename ?? {}));
  const drop = new Set(step.drop ?? []);
  const keep = step.keep?.map((name) => [name, fieldReader(name)] as const);
  const reshapes = renames.size > 0 || drop.size > 0;

  const change = (row: Row): Row => {
    const fresh: Row = { ...row };
    for (const [name, evaluate] of computed) fresh[name] = evaluate(row);
    Object.assign(fresh, step.set);
    const shaped = reshapes
      ? Object.fromEntries(
          Object.entries(fresh)
            .map(([name, value]) => [renames.get(name) ?? name, value] as const)
            .filter(([name]) => !drop.has(name)),
        )
      : fresh;
    return keep ? Object.fromEntries(keep.map(([name, read]) => [name, read(shaped) ?? null])) : shaped;
  };
  return eachRow((rows) => rows.map(change));
}
