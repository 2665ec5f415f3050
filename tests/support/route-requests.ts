/**
 * Requests to one route of the contract, made from its schemas: as it wants them, and with faults in parameters, query,
 * body, encoding and content type. What they cannot do is start processes: a pool stays one of none.
 */
import fc from 'fast-check';
import { METHODS, type Route } from '#queue/contract/http';
import type { ExactRequest } from './exact-http';
import { HOSTILE_KEYS, HOSTILE_TEXTS, HOSTILE_VALUES, NOT_JSON, Pairs, Verbatim, writeJson } from './hostile-values';
import { SchemaValues } from './schema-values';

/** Names of things that are there, by what the field is called; `id` by the tag of the route. */
export type Known = Readonly<Record<string, readonly unknown[]>>;

const JSON_TYPE = 'application/json';
const TYPES = [
  '',
  'text/plain',
  'application/xml',
  'application/json; charset=latin1',
  'application/json;',
  ';',
  'json',
];
/** These name another path, as in every URL: what is answered there is not this route's. */
const DOTS = /^(\.|%2e){1,2}$/i;
/** What a path may hold that no encoder writes. */
const ODD_SEGMENTS = ['%', '%zz', '%c0%af', '%ff', '%00', '%2F', '%2f..%2f', ';a=b', '%0d%0aX-Injected:%201'];

export function requestsTo(route: Route, known: Known): fc.Arbitrary<ExactRequest> {
  const find = (field: string): fc.Arbitrary<unknown> | null => {
    const values = known[field === 'id' ? `${route.tag} id` : field] ?? [];
    return values.length === 0 ? null : fc.constantFrom(...values);
  };
  return fc
    .record({
      method: fc.oneof(
        { weight: 9, arbitrary: fc.constant(route.method) },
        { weight: 1, arbitrary: fc.constantFrom(...METHODS) },
      ),
      path: pathOf(route, find),
      query: queryOf(route, find),
      type: fc.oneof(
        { weight: 15, arbitrary: fc.constant(JSON_TYPE) },
        { weight: 1, arbitrary: fc.constantFrom(...TYPES) },
      ),
      body: route.method === 'GET' ? fc.constant(null) : bodyOf(route, find),
    })
    .map(({ method, path, query, type, body }) => ({
      method,
      path: query === '' ? path : `${path}?${query}`,
      headers: body === null || type === '' ? {} : { 'content-type': type },
      body,
    }));
}

type Find = (field: string) => fc.Arbitrary<unknown> | null;

function pathOf(route: Route, find: Find): fc.Arbitrary<string> {
  const values = route.params === undefined ? fc.constant({}) : new SchemaValues(route.params, find).allowed();
  const odd = fc.oneof(
    fc.constantFrom(...HOSTILE_TEXTS.filter((text) => text !== '' && !DOTS.test(text))).map(percent),
    fc.constantFrom(...ODD_SEGMENTS),
  );
  return fc
    .record({
      path: fc.constantFrom(route.path, ...(route.aliases ?? [])),
      values,
      odd: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: odd }),
      slash: fc.boolean(),
    })
    .map(({ path, values, odd, slash }) => {
      const named = new Map(Object.entries(values ?? {}));
      const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => odd ?? percent(String(named.get(name) ?? 'x')));
      return slash ? `${filled}/` : filled;
    });
}

function queryOf(route: Route, find: Find): fc.Arbitrary<string> {
  const own = route.query === undefined ? fc.constant({}) : new SchemaValues(route.query, find).allowed();
  const fields = Object.keys(route.query?.shape ?? {});
  const name = fc.constantFrom(...fields, ...HOSTILE_KEYS);
  const odd = fc.array(fc.tuple(name, fc.constantFrom(...HOSTILE_TEXTS)), { maxLength: 2 });
  return fc
    .tuple(own, fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 2, arbitrary: odd }))
    .map(([own, odd]) =>
      [...Object.entries(own ?? {}), ...odd]
        .flatMap(([name, value]) => [value].flat().map((one) => `${percent(name)}=${percent(String(one))}`))
        .join('&'),
    );
}

type Change =
  | { kind: 'set'; path: readonly string[]; value: unknown }
  | { kind: 'drop'; path: readonly string[] }
  | { kind: 'add'; key: string; value: unknown }
  | { kind: 'twice' };

function bodyOf(route: Route, find: Find): fc.Arbitrary<Buffer | null> {
  if (route.body === undefined)
    return fc.oneof(fc.constant(null), fc.constant(Buffer.from('{}')), fc.constantFrom(...HOSTILE_VALUES).map(asBytes));
  const schema = new SchemaValues(route.body, find);
  const places = schema.places();
  const change: fc.Arbitrary<Change> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .constantFrom(...places)
        .chain(({ path, wrong }) =>
          fc.constantFrom(...wrong, ...HOSTILE_VALUES).map((value) => ({ kind: 'set' as const, path, value })),
        ),
    },
    { weight: 1, arbitrary: fc.constantFrom(...places).map(({ path }) => ({ kind: 'drop' as const, path })) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(...HOSTILE_KEYS), fc.constantFrom(...HOSTILE_VALUES))
        .map(([key, value]) => ({ kind: 'add' as const, key, value })),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'twice' as const }) },
  );
  const json = fc
    .tuple(schema.allowed(), fc.oneof(fc.constant([]), fc.array(change, { minLength: 1, maxLength: 3 })))
    .map(([value, changes]) => asBytes(harmless(route, changes.reduce<unknown>(changed, agreed(route, value)))));
  return fc.oneof(
    { weight: 8, arbitrary: json },
    { weight: 1, arbitrary: json.chain(damaged) },
    { weight: 1, arbitrary: fc.constantFrom(...NOT_JSON, ...HOSTILE_VALUES).map(asBytes) },
  );
}

const asBytes = (value: unknown): Buffer => Buffer.from(writeJson(value));

/** What goes wrong between a good document and the wire. */
function damaged(body: Buffer): fc.Arbitrary<Buffer> {
  return fc.tuple(fc.nat(6), fc.nat(body.length)).map(([how, at]) => {
    const insert = (bytes: number[]) => Buffer.concat([body.subarray(0, at), Buffer.from(bytes), body.subarray(at)]);
    switch (how) {
      case 0:
        return Buffer.concat([Buffer.from('\ufeff'), body]);
      case 1:
        return insert([0xff, 0xc0, 0x80]);
      case 2:
        return insert([0xed, 0xa0, 0x80]); // half a pair, as no encoder may write it
      case 3:
        return insert([0]);
      case 4:
        return body.subarray(0, at);
      case 5:
        return Buffer.from(body.toString(), 'utf16le');
      default:
        return Buffer.concat([body, body]);
    }
  });
}

function changed(value: unknown, change: Change): unknown {
  switch (change.kind) {
    case 'set':
      return placed(value, change.path, change.value);
    case 'drop':
      return change.path.length === 0 ? value : placed(value, change.path, undefined);
    case 'add':
      return isPlain(value) ? new Pairs([...Object.entries(value), [change.key, change.value]]) : value;
    case 'twice':
      return isPlain(value) ? new Pairs([...Object.entries(value), ...Object.entries(value)]) : value;
    default:
      return change satisfies never;
  }
}

function placed(value: unknown, [key, ...rest]: readonly string[], put: unknown): unknown {
  if (key === undefined) return put;
  if (Array.isArray(value)) return [placed(value[0], rest, put), ...value.slice(1)];
  if (!isPlain(value)) return rest.length === 0 && value === undefined ? { [key]: put } : value;
  return { ...value, [key]: placed(value[key], rest, put) };
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Verbatim) &&
  !(value instanceof Pairs);

/** What a route wants beyond its schema's fields: a selection is by ids or by filter, and has the size that is expected. */
function agreed(route: Route, value: unknown): unknown {
  if (route.selection !== true || !isPlain(value)) return value;
  const { ids, filter, canary, expected_count, ...rest } = value;
  return { ...rest, ...(ids === undefined ? { filter: filter ?? {} } : { ids }) };
}

/** Pools of this test run nothing, whatever else is said of them. */
function harmless(route: Route, value: unknown): unknown {
  if (!/^\/api\/pools/.test(route.path)) return value;
  const kept = (pairs: readonly (readonly [string, unknown])[]) => {
    const rest = pairs.filter(([key, inner]) => inner !== undefined && !startsProcesses(key, inner));
    return rest.some(([key]) => key === 'processes') ? rest : [...rest, ['processes', 0] as const];
  };
  if (value instanceof Pairs) return new Pairs(kept(value.pairs));
  return isPlain(value) ? Object.fromEntries(kept(Object.entries(value))) : value;
}

const startsProcesses = (key: string, value: unknown): boolean =>
  (key === 'processes' && typeof value === 'number' && value >= 1 && value <= 64) ||
  (key === 'autoscale' && isPlain(value));

/** Every byte that is not plain, percent-encoded; halves of pairs as their replacement, which is what UTF-8 has for them. */
const percent = (text: string): string =>
  [...Buffer.from(text)]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9_.~*-]/.test(char) ? char : `%${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
