/** What a payload may be: checked by one walk, before anything is stored. */
import type { FieldError } from './errors';
import { LIMITS } from './limits';

const FORBIDDEN_KEY = '__proto__';

/**
 * Finds what a JSON value may not have: more than 64 levels, a `__proto__` key, a number that JSON cannot
 * carry (1e400 is read as Infinity and would be stored as null).
 * Iterative, so that hostile nesting cannot overflow the stack; O(size).
 * @returns the first fault, its path dotted from `root`, or null
 */
export function findPayloadFault(value: unknown, root = 'payload'): FieldError | null {
  const waiting: { value: unknown; path: string; depth: number }[] = [{ value, path: root, depth: 1 }];
  for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
    const { value: current, path, depth } = item;
    if (typeof current === 'number' && !Number.isFinite(current)) {
      return { path, message: 'must be a finite number' };
    }
    if (typeof current !== 'object' || current === null) continue;
    if (depth > LIMITS.payloadDepth) {
      return { path: root, message: `is nested deeper than ${LIMITS.payloadDepth} levels` };
    }
    for (const key of Object.keys(current)) {
      if (key === FORBIDDEN_KEY) return { path: `${path}.${key}`, message: 'is not allowed as a key' };
      const child = (current as Record<string, unknown>)[key];
      if (typeof child === 'object' || typeof child === 'number') {
        waiting.push({ value: child, path: `${path}.${key}`, depth: depth + 1 });
      }
    }
  }
  return null;
}
