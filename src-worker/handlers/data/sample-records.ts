/** Sample orders, the same for the same seed on every machine: to try steps on, and for loads of any size. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BATCH_SIZE } from '../records/read-records';
import type { Row } from '../records/row';

export const MAX_SAMPLE_RECORDS = 10_000_000;

const REGIONS = ['north', 'south', 'east', 'west'] as const;
const CATEGORIES = ['books', 'garden', 'kitchen', 'music', 'office', 'toys'] as const;
/** The moment of the first record; each next one is a minute later. */
const START = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

export async function* sampleRecords(count: number, seed: number): AsyncGenerator<Row[]> {
  const random = mulberry32(seed);
  for (let from = 0; from < count; from += BATCH_SIZE) {
    await nextTurn(); // heartbeats and timers of the process go on while records are made
    yield Array.from({ length: Math.min(BATCH_SIZE, count - from) }, (_, i) => sampleRecord(from + i, random));
  }
}

function sampleRecord(index: number, random: () => number): Row {
  const quantity = 1 + Math.floor(random() * 9);
  const cents = 100 + Math.floor(random() * 19_900);
  return {
    id: index + 1,
    created_at: new Date(START + index * MINUTE_MS).toISOString(),
    customer: `customer-${1 + Math.floor(random() * 500)}`,
    region: pick(REGIONS, random),
    category: pick(CATEGORIES, random),
    quantity,
    price: cents / 100,
    amount: (cents * quantity) / 100,
  };
}

const pick = <T>(from: readonly [T, ...T[]], random: () => number): T =>
  from[Math.floor(random() * from.length)] ?? from[0];

/** A 32-bit generator of numbers in [0, 1): small, quick, and good enough for samples. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
