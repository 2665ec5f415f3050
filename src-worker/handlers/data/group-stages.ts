/** Group and aggregate: memory grows with the number of groups, never with the number of records. */
import type { z } from 'zod';
import { FatalError } from '../../handler';
import { BATCH_SIZE } from '../records/read-records';
import { fieldReader, type Row, toNumber, valueKey } from '../records/row';
import { DISTINCT_MAX_VALUES, requireFields, summing, Totals } from './aggregation';
import type { Stage } from './stage';
import type { AggregateStep, Group } from './steps';

const MAX_GROUPS = 100_000;
/** Fields that an aggregate without a list looks at. */
const MAX_AUTO_FIELDS = 50;

/** One record for each group, in the order in which the groups first came. `count` is told of their number. */
export function groupStage({ by, aggregates }: z.infer<typeof Group>, count: (groups: number) => void): Stage {
  requireFields(aggregates);
  const fields = (Array.isArray(by) ? by : [by]).map((name) => ({ name, read: fieldReader(name) }));
  const groups = new Map<string, { head: [string, unknown][]; totals: Totals }>();
  const budget = { left: DISTINCT_MAX_VALUES };

  const groupOf = (row: Row) => {
    const key = fields.map(({ read }) => valueKey(read(row))).join('\u0000');
    const known = groups.get(key);
    if (known !== undefined) return known;
    if (groups.size >= MAX_GROUPS) throw new FatalError(`group makes at most ${MAX_GROUPS} groups`);
    const fresh = {
      head: fields.map(({ name, read }): [string, unknown] => [name, read(row) ?? null]),
      totals: new Totals(aggregates, budget),
    };
    groups.set(key, fresh);
    return fresh;
  };
  return {
    push(rows) {
      for (const row of rows) groupOf(row).totals.add(row);
      return [];
    },
    *end() {
      count(groups.size);
      let batch: Row[] = [];
      for (const { head, totals } of groups.values()) {
        batch.push(Object.fromEntries([...head, ...totals.result()]));
        if (batch.length < BATCH_SIZE) continue;
        yield batch;
        batch = [];
      }
      if (batch.length > 0) yield batch;
    },
  };
}

/** One record for all. */
export function aggregateStage({ aggregates }: z.infer<typeof AggregateStep>): Stage {
  if (aggregates === undefined) return overviewStage();
  requireFields(aggregates);
  const totals = new Totals(aggregates, { left: DISTINCT_MAX_VALUES });
  return {
    push(rows) {
      for (const row of rows) totals.add(row);
      return [];
    },
    end: () => [[Object.fromEntries(totals.result())]],
  };
}

/** The count, and sum, avg, min and max of each field that has numbers: for a payload that only says "aggregate". */
function overviewStage(): Stage {
  let count = 0;
  const fields = new Map<
    string,
    { sum: ReturnType<typeof summing>; avg: ReturnType<typeof summing>; min: number; max: number }
  >();
  const add = (name: string, number: number) => {
    let field = fields.get(name);
    if (field === undefined) {
      if (fields.size >= MAX_AUTO_FIELDS) return;
      field = {
        sum: summing((sum) => sum),
        avg: summing((sum, n) => (n === 0 ? null : sum / n)),
        min: Number.POSITIVE_INFINITY,
        max: Number.NEGATIVE_INFINITY,
      };
      fields.set(name, field);
    }
    field.sum.add(number);
    field.avg.add(number);
    field.min = Math.min(field.min, number);
    field.max = Math.max(field.max, number);
  };
  return {
    push(rows) {
      for (const row of rows) {
        count++;
        for (const [name, value] of Object.entries(row)) {
          const number = toNumber(value);
          if (number !== null) add(name, number);
        }
      }
      return [];
    },
    end: () => [
      [
        Object.fromEntries([
          ['count', count],
          ...[...fields].flatMap(([name, { sum, avg, min, max }]) => [
            [`${name}_sum`, sum.result()],
            [`${name}_avg`, avg.result()],
            [`${name}_min`, min],
            [`${name}_max`, max],
          ]),
        ]),
      ],
    ],
  };
}
