/**
 * Values that break programs, and a writer of JSON that can write what JSON.stringify cannot: numbers that no double
 * holds, keys given twice, nesting without end.
 */
import { LIMITS } from '#queue/contract/limits';

/** Stands in a value for this text, as it is. */
export class Verbatim {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** An object written key by key, in this order: also one twice. */
export class Pairs {
  readonly pairs: readonly (readonly [string, unknown])[];
  constructor(pairs: readonly (readonly [string, unknown])[]) {
    this.pairs = pairs;
  }
}

/** JSON text; undefined is left out of objects, and null in arrays. */
export function writeJson(value: unknown): string {
  if (value instanceof Verbatim) return value.text;
  if (value instanceof Pairs) return members(value.pairs);
  if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) return members(Object.entries(value));
  return JSON.stringify(value) ?? 'null';
}

const members = (pairs: readonly (readonly [string, unknown])[]): string =>
  `{${pairs
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${JSON.stringify(key)}:${writeJson(value)}`)
    .join(',')}}`;

export const nested = (depth: number, open = '[', close = ']'): Verbatim =>
  new Verbatim(open.repeat(depth) + close.repeat(depth));

/** An object of so many keys. */
export const manyKeys = (count: number): Verbatim =>
  new Verbatim(`{${Array.from({ length: count }, (_, n) => `"${n}x":0`).join(',')}}`);

export const HOSTILE_TEXTS: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ufeff',
  '\ud800',
  'a\udfff',
  '\u202e',
  '\u2028',
  'İ',
  '👩‍👩‍👧‍👦',
  'line\r\nX-Injected: 1',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '{}',
  'mr:{q}:t',
  'a:b',
  'q{x}',
  '*',
  '*[a-z]?',
  '..',
  '../../etc/passwd',
  '%00',
  '%',
  '{{7*7}}',
  "'; return redis.call('FLUSHALL')--",
  '((((a+)+)+)+)+$',
  '-1',
  'NaN',
  '1e400',
  'null',
  'x'.repeat(1024),
  'é'.repeat(LIMITS.nameLength + 1),
];

export const HOSTILE_NUMBERS: readonly unknown[] = [
  0,
  new Verbatim('-0'),
  -1,
  0.5,
  1.5,
  11,
  101,
  256,
  2 ** 31,
  2 ** 53,
  new Verbatim('9007199254740993'),
  new Verbatim('123456789012345678901234567890'),
  1e18,
  1e308,
  new Verbatim('1e400'),
  new Verbatim('-1e400'),
  5e-324,
];

/** No JSON at all: the whole body is then none. */
export const NOT_JSON: readonly unknown[] = [
  new Verbatim('NaN'),
  new Verbatim('Infinity'),
  new Verbatim('undefined'),
  new Verbatim("'text'"),
  new Verbatim('0x10'),
  new Verbatim('01'),
  new Verbatim('"\t"'),
  new Verbatim('"\\x41"'),
];

export const HOSTILE_VALUES: readonly unknown[] = [
  null,
  true,
  [],
  {},
  [null],
  ['a', 'a'],
  '5',
  { constructor: { prototype: { polluted: 1 } } },
  new Pairs([['__proto__', { polluted: 1 }]]),
  new Pairs([
    ['a', 1],
    ['a', 2],
  ]),
  new Verbatim('"\\ud800\\u0000"'),
  nested(LIMITS.payloadDepth + 1),
  nested(10_000),
  new Verbatim(`${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}`),
  manyKeys(5000),
  ...HOSTILE_TEXTS,
  ...HOSTILE_NUMBERS,
];

export const HOSTILE_KEYS: readonly string[] = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'then',
  'toJSON',
  'length',
  '',
  '\0',
  '\ud800',
  'id',
  'colour',
  'a.b',
  'x'.repeat(1024),
];
