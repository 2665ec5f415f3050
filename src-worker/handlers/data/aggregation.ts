/** Running totals over records: each value is seen once, and only `distinct` remembers any. */
import { FatalError } from '../../handler';
import { compareValues, fieldReader, type Row, toNumber, valueKey } from '../records/row';
import type { Aggregate, AggregateOp } from './steps';

/** Different values that all `distinct` of a step may remember together. */
export const DISTINCT_MAX_VALUES = 1_000_000;

/** Shared by all totals of a step. */
interface DistinctBudget {
  left: number;
}

interface Total {
  add(value: unknown): void;
  result(): unknown;
}

const aggregateName = ({ op, field, as }: Aggregate): string => as ?? (field === undefined ? op : `${field}_${op}`);

/** @throws FatalError for one that lacks its field */
export function requireFields(aggregates: readonly Aggregate[]): void {
  const faulty = aggregates.find(({ op, field }) => op !== 'count' && field === undefined);
  if (faulty !== undefined) throw new FatalError(`${faulty.op} needs a field`);
}

/** All totals of one group. */
export class Totals {
  readonly #parts: { name: string; read: ((row: Row) => unknown) | null; total: Total }[];

  constructor(aggregates: readonly Aggregate[], budget: DistinctBudget) {
    this.#parts = aggregates.map((aggregate) => ({
      name: aggregateName(aggregate),
      read: aggregate.field === undefined ? null : fieldReader(aggregate.field),
      total: createTotal(aggregate.op, budget),
    }));
  }

  add(row: Row): void {
    for (const { read, total } of this.#parts) total.add(read === null ? true : read(row));
  }

  result(): [name: string, value: unknown][] {
    return this.#parts.map(({ name, total }) => [name, total.result()]);
  }
}

function createTotal(op: AggregateOp, budget: DistinctBudget): Total {
  switch (op) {
    case 'count':
      return counting();
    case 'sum':
      return summing((sum) => sum);
    case 'avg':
      return summing((sum, count) => (count === 0 ? null : sum / count));
    case 'min':
      return extreme((order) => order < 0);
    case 'max':
      return extreme((order) => order > 0);
    case 'distinct':
      return distinct(budget);
  }
}

function counting(): Total {
  let count = 0;
  return {
    add: (value) => {
      if (value !== null && value !== undefined) count++;
    },
    result: () => count,
  };
}

/** Neumaier's sum: a million cents add up to what they should. Values that are no numbers are passed over. */
export function summing(finish: (sum: number, count: number) => number | null): Total {
  let sum = 0;
  let lost = 0;
  let count = 0;
  return {
    add: (value) => {
      const number = toNumber(value);
      if (number === null) return;
      const next = sum + number;
      lost += Math.abs(sum) >= Math.abs(number) ? sum - next + number : number - next + sum;
      sum = next;
      count++;
    },
    result: () => {
      const total = finish(sum + lost, count);
      return total !== null && Number.isFinite(total) ? total : null;
    },
  };
}

function extreme(better: (order: number) => boolean): Total {
  let best: unknown = null;
  return {
    add: (value) => {
      if (value === null || value === undefined || typeof value === 'object') return;
      if (best === null || better(compareValues(value, best))) best = value;
    },
    result: () => best,
  };
}

function distinct(budget: DistinctBudget): Total {
  const seen = new Set<string>();
  return {
    add: (value) => {
      const key = valueKey(value);
      if (value === null || value === undefined || seen.has(key)) return;
      if (--budget.left < 0) throw new FatalError(`distinct remembers at most ${DISTINCT_MAX_VALUES} different values`);
      seen.add(key);
    },
    result: () => seen.size,
  };
}
