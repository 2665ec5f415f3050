/**
 * Sorting needs all records at once, so it is bounded: by number and by an estimate of their size. With a limit it
 * keeps only as many as it will give on, and the input may be of any length.
 */
import type { z } from 'zod';
import { FatalError } from '../../handler';
import { BATCH_SIZE } from '../records/read-records';
import { compareValues, fieldReader, type Row } from '../records/row';
import type { Stage } from './stage';
import type { Sort } from './steps';

const SORT_MAX_RECORDS = 250_000;
/** Of text and numbers in the records that are held, estimated. */
const SORT_MAX_BYTES = 256 * 1024 * 1024;

export function sortStage({ by, order, limit }: z.infer<typeof Sort>): Stage {
  const keys = (Array.isArray(by) ? by : [by]).map((name) => {
    const down = name.startsWith('-') && name.length > 1;
    return { read: fieldReader(down ? name.slice(1) : name), sign: down || order === 'desc' ? -1 : 1 };
  });
  const compare = (a: Row, b: Row): number => {
    for (const { read, sign } of keys) {
      const result = sign * compareValues(read(a), read(b));
      if (result !== 0) return result;
    }
    return 0;
  };

  let held: Row[] = [];
  let bytes = 0;
  const cut = () => {
    held.sort(compare);
    if (limit !== undefined) held.length = Math.min(held.length, limit);
  };
  return {
    push(rows) {
      for (const row of rows) {
        held.push(row);
        if (limit === undefined) bytes += weigh(row);
      }
      if (limit !== undefined && held.length > 2 * limit + BATCH_SIZE) cut();
      if (limit === undefined && (held.length > SORT_MAX_RECORDS || bytes > SORT_MAX_BYTES)) {
        throw new FatalError(
          `sort holds at most ${SORT_MAX_RECORDS} records and ${SORT_MAX_BYTES / 2 ** 20} MiB: filter or group before it, or give it a limit`,
        );
      }
      return [];
    },
    *end() {
      cut();
      const sorted = held;
      held = [];
      for (let i = 0; i < sorted.length; i += BATCH_SIZE) yield sorted.slice(i, i + BATCH_SIZE);
    },
  };
}

/** About the bytes that a record takes; nested values by the length of their JSON. */
function weigh(row: Row): number {
  let bytes = 64;
  for (const value of Object.values(row)) {
    if (typeof value === 'string') bytes += 32 + value.length;
    else bytes += typeof value === 'object' && value !== null ? 2 * JSON.stringify(value).length : 16;
  }
  return bytes;
}
