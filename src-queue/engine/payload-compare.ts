/** What payloads have in common and where they differ, path by path, two levels deep. */
import type { PayloadPath } from '../contract/failure';
import { LIMITS } from '../contract/limits';
import type { JsonValue } from '../contract/primitives';
import { mapEntry } from '../kernel/map-entry';

const DEPTH = 2;

export function comparePayloads(payloads: readonly JsonValue[]): PayloadPath[] {
  const byPath = new Map<string, JsonValue[]>();
  for (const payload of payloads) {
    for (const [path, value] of placesOf(payload, '', DEPTH)) {
      if (byPath.has(path) || byPath.size < LIMITS.groupPaths) mapEntry(byPath, path, () => []).push(value);
    }
  }
  return [...byPath].map(([path, values]) => compared(path, values));
}

/** Lists, and objects at the last level, are values. */
function* placesOf(value: JsonValue, path: string, levels: number): Generator<[path: string, value: JsonValue]> {
  const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  if (levels === 0 || entries.length === 0) {
    if (path !== '') yield [path, value];
    return;
  }
  for (const [key, inner] of entries) yield* placesOf(inner, path === '' ? key : `${path}.${key}`, levels - 1);
}

function compared(path: string, values: readonly JsonValue[]): PayloadPath {
  const [first = null] = values;
  const present_in = values.length;
  const distinct = new Set(values.map((value) => JSON.stringify(value))).size;
  if (distinct === 1) {
    const text = JSON.stringify(first);
    const cut = text.length > LIMITS.groupValueChars;
    return { kind: 'same', path, present_in, value: cut ? text.slice(0, LIMITS.groupValueChars) : first, cut };
  }
  const numbers = values.filter((value) => typeof value === 'number').sort((a, b) => a - b);
  const [min] = numbers;
  const max = numbers.at(-1);
  if (numbers.length < values.length || min === undefined || max === undefined)
    return { kind: 'different', path, present_in, distinct };
  return { kind: 'number_range', path, present_in, distinct, min, median: medianOf(numbers), max };
}

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? 0;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? 0) + upper) / 2 : upper;
}
