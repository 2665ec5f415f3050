/**
 * The fields of a payload as its JSON Schema names them. Nested objects become dotted names; what one line of text
 * cannot hold (lists of objects, alternatives of those) is left to the JSON editor. Pure.
 */
import {
  alternativesOf,
  isObject,
  type JsonObject,
  listOf,
  numberOf,
  propertiesOf,
  resolveSchema,
  textsOf,
  typesOf,
} from './json-schema';

type FieldKind = 'string' | 'number' | 'integer' | 'boolean' | 'choice' | 'list' | 'mixed' | 'json';

export interface PayloadField {
  readonly path: readonly string[];
  /** `vars.parcels` */
  readonly name: string;
  /** `mixed`: a text, or JSON of another kind. `json`: only the editor can hold it. */
  readonly kind: FieldKind;
  /** Of a list. */
  readonly item: 'string' | 'number' | 'integer' | 'boolean' | null;
  readonly choices: readonly unknown[];
  readonly nullable: boolean;
  readonly required: boolean;
  /** `integer, 1 to 20`, without whether it is required. */
  readonly hint: string;
  readonly description: string;
  /** What the worker takes where it is left out, as JSON; empty where the schema does not say. */
  readonly fallback: string;
  /** A text that wants more than one line. */
  readonly long: boolean;
}

/** Levels of objects that become dotted names, and fields in all. */
const DEPTH = 4;
const MOST = 60;
const SCALARS = ['string', 'number', 'integer', 'boolean'] as const;
type Scalar = (typeof SCALARS)[number];
const LONG_TEXT = 2000;
const WORDS: Record<string, string> = { 'date-time': 'time', uri: 'address' };

/** Required ones first, else in their order. @returns none for a schema that is not of an object with properties */
export function payloadFields(schema: unknown): PayloadField[] {
  const fields = collect(schema, resolveSchema(schema, schema), [], true);
  return [...fields.filter(({ required }) => required), ...fields.filter(({ required }) => !required)].slice(0, MOST);
}

function collect(root: unknown, schema: JsonObject, path: readonly string[], wanted: boolean): PayloadField[] {
  const required = textsOf(schema.required);
  return Object.entries(propertiesOf(schema)).flatMap(([key, property]) => {
    const inner = resolveSchema(root, property);
    const must = wanted && required.includes(key);
    const here = [...path, key];
    const nested =
      Object.keys(propertiesOf(inner)).length > 0 && here.length < DEPTH && alternativesOf(inner).length === 0;
    return nested ? collect(root, inner, here, must) : [fieldOf(root, inner, here, must)];
  });
}

function fieldOf(root: unknown, written: JsonObject, path: readonly string[], required: boolean): PayloadField {
  const { schema, nullable } = withoutNull(root, written);
  const alternatives = alternativesOf(schema).map((each) => resolveSchema(root, each));
  const choices = 'const' in schema ? [schema.const] : listOf(schema.enum);
  const types = typesOf(schema).filter((type) => type !== 'null');
  const items = resolveSchema(root, schema.items);
  const item = scalarOf(typesOf(items));
  const kind = kindOf({ alternatives, choices, types, item, schema });
  return {
    path,
    name: path.join('.'),
    kind,
    item: kind === 'list' ? item : null,
    choices,
    nullable,
    required,
    hint: hintOf(kind, schema, { types, choices, item, alternatives }),
    description: typeof written.description === 'string' ? written.description : '',
    fallback: 'default' in schema ? JSON.stringify(schema.default) : '',
    long: kind === 'string' && isLong(schema, path),
  };
}

const scalarOf = (types: readonly string[]): Scalar | null =>
  types.length === 1 ? (SCALARS.find((each) => each === types[0]) ?? null) : null;

/** A long text is one without a bound or with a wide one, unless it is an address or has a form of its own. */
const isLong = (schema: JsonObject, path: readonly string[]): boolean =>
  /^(text|body|html|content|message|script|markdown)$/.test(path.at(-1) ?? '') &&
  (numberOf(schema.maxLength) ?? LONG_TEXT) >= LONG_TEXT &&
  schema.format === undefined;

/** `anyOf: [X, null]` is X that may be null. */
function withoutNull(root: unknown, schema: JsonObject): { schema: JsonObject; nullable: boolean } {
  const isNull = (each: unknown) => typesOf(resolveSchema(root, each)).join() === 'null';
  const all = alternativesOf(schema);
  const rest = all.filter((each) => !isNull(each));
  const nullable = rest.length < all.length || typesOf(schema).includes('null') || listOf(schema.enum).includes(null);
  if (rest.length !== 1 || all.length === 1) return { schema, nullable };
  const { anyOf: _, oneOf: __, ...beside } = schema;
  return { schema: { ...resolveSchema(root, rest[0]), ...beside }, nullable };
}

function kindOf(of: {
  alternatives: readonly JsonObject[];
  choices: readonly unknown[];
  types: readonly string[];
  item: Scalar | null;
  schema: JsonObject;
}): FieldKind {
  if (of.choices.length > 0) return 'choice';
  if (of.alternatives.length > 0)
    return of.alternatives.some((each) => typesOf(each).includes('string')) ? 'mixed' : 'json';
  const scalar = scalarOf(of.types);
  if (scalar !== null) return scalar;
  if (of.types.length === 1 && of.types[0] === 'array') return of.item === null ? 'json' : 'list';
  return of.types.includes('string') ? 'mixed' : 'json';
}

function hintOf(
  kind: FieldKind,
  schema: JsonObject,
  of: {
    types: readonly string[];
    choices: readonly unknown[];
    item: Scalar | null;
    alternatives: readonly JsonObject[];
  },
): string {
  if (kind === 'choice')
    return of.choices.length === 1 ? `only ${JSON.stringify(of.choices[0])}` : `one of ${of.choices.length}`;
  if (kind === 'list')
    return [`${of.item}s, one a line`, rangeOf(schema.minItems, schema.maxItems, '')].filter(Boolean).join(', ');
  if (kind === 'mixed' || kind === 'json') {
    const kinds = of.alternatives.length > 0 ? of.alternatives.flatMap((each) => typesOf(each)) : of.types;
    return [...new Set(kinds)].join(' or ') || 'JSON';
  }
  const { format } = schema;
  const word = typeof format === 'string' ? (WORDS[format] ?? format) : kind === 'string' ? '' : kind;
  const range =
    kind === 'string'
      ? rangeOf(null, smallOnly(schema.maxLength), 'characters')
      : rangeOf(schema.minimum ?? above(schema.exclusiveMinimum), schema.maximum ?? below(schema.exclusiveMaximum), '');
  return [word, range].filter(Boolean).join(', ');
}

const above = (value: unknown) => (numberOf(value) === null ? null : `above ${value}`);
const below = (value: unknown) => (numberOf(value) === null ? null : `below ${value}`);
/** A bound of thousands helps nobody who types. */
const smallOnly = (value: unknown) => ((numberOf(value) ?? Number.POSITIVE_INFINITY) <= LONG_TEXT ? value : null);

/** `1 to 20`, `from 1`, `above 0, up to 1`; a bound that is a text says itself what it is. */
function rangeOf(from: unknown, to: unknown, unit: string): string {
  const [low, high] = [boundOf(from), boundOf(to)];
  if (low === null && high === null) return '';
  const words = (bound: string | number, word: string) => (typeof bound === 'string' ? bound : `${word} ${bound}`);
  const both = typeof low === 'number' && typeof high === 'number';
  const range = both
    ? `${low} to ${high}`
    : [low === null ? '' : words(low, 'from'), high === null ? '' : words(high, 'up to')].filter(Boolean).join(', ');
  return unit === '' ? range : `${range} ${unit}`;
}

/** The bound of safe integers, which zod writes into every schema, is none. */
const boundOf = (value: unknown): string | number | null =>
  typeof value === 'string' || (typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER) ? value : null;

/** How many of an object's own keys are set: for what only the editor can show. */
export function sizeWords(value: unknown): string {
  if (Array.isArray(value)) return value.length === 1 ? '1 item' : `${value.length} items`;
  if (isObject(value)) return Object.keys(value).length === 1 ? '1 key' : `${Object.keys(value).length} keys`;
  return value === undefined ? 'not set' : JSON.stringify(value);
}
