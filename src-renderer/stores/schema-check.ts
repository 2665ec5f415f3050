/**
 * Checks a payload against its type's JSON Schema before it is sent, in words for its field. Knows what zod writes into
 * a schema; what it does not know it lets pass: the worker has the last word. Pure.
 */
import type { FieldError } from '#queue/contract/errors';
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

/** A field that is not there yet: not shown before the first submit. */
export interface SchemaFault extends FieldError {
  readonly missing: boolean;
}

/** Faults that are told at once, and schemas that are looked at: a payload of many thousand items stays quick. */
const MOST_FAULTS = 50;
const MOST_CHECKS = 50_000;
const SHOWN_CHARS = 40;

/** @returns paths from `payload` on, dotted */
export function checkSchema(schema: unknown, payload: unknown, root = 'payload'): SchemaFault[] {
  const check = new Check(schema);
  check.look(schema, payload, root);
  return check.faults.slice(0, MOST_FAULTS);
}

class Check {
  readonly faults: SchemaFault[] = [];
  readonly #root: unknown;
  #left = MOST_CHECKS;

  constructor(root: unknown) {
    this.#root = root;
  }

  look(written: unknown, value: unknown, path: string): void {
    if (this.#left-- <= 0 || this.faults.length >= MOST_FAULTS) return;
    if (written === false) {
      this.#say(path, 'Is not allowed');
      return;
    }
    const schema = resolveSchema(this.#root, written);
    const alternatives = alternativesOf(schema);
    if (alternatives.length > 0 && !this.#lookAtAlternatives(alternatives, value, path)) return;
    for (const each of listOf(schema.allOf)) this.look(each, value, path);
    const types = typesOf(schema);
    if (types.length > 0 && !types.some((type) => isOfType(value, type))) {
      this.#say(path, `Expected ${withArticle(types)}, got ${shown(value)}`);
      return;
    }
    this.#lookAtChoices(schema, value, path);
    if (typeof value === 'string') this.#lookAtText(schema, value, path);
    else if (typeof value === 'number') this.#lookAtNumber(schema, value, path);
    else if (Array.isArray(value)) this.#lookAtList(schema, value, path);
    else if (isObject(value)) this.#lookAtObject(schema, value, path);
  }

  /** Tells the fault of the alternative that is nearest: the one of the value's own kind, where there is one. */
  #lookAtAlternatives(alternatives: readonly unknown[], value: unknown, path: string): boolean {
    let nearest: SchemaFault[] | null = null;
    for (const each of alternatives) {
      const attempt = new Check(this.#root);
      attempt.#left = this.#left;
      attempt.look(each, value, path);
      this.#left = attempt.#left;
      if (attempt.faults.length === 0) return true;
      const types = typesOf(resolveSchema(this.#root, each));
      if (types.some((type) => isOfType(value, type))) nearest ??= attempt.faults;
    }
    const kinds = alternatives.flatMap((each) => typesOf(resolveSchema(this.#root, each)));
    if (nearest !== null) this.faults.push(...nearest);
    else
      this.#say(
        path,
        kinds.length === 0
          ? 'Fits none of its forms'
          : `Expected ${withArticle([...new Set(kinds)])}, got ${shown(value)}`,
      );
    return false;
  }

  #lookAtChoices(schema: JsonObject, value: unknown, path: string): void {
    const same = (each: unknown) => JSON.stringify(each) === JSON.stringify(value);
    if ('const' in schema && !same(schema.const)) this.#say(path, `Must be ${JSON.stringify(schema.const)}`);
    const choices = listOf(schema.enum);
    if (choices.length > 0 && !choices.some(same))
      this.#say(path, `Must be one of ${choices.map((each) => JSON.stringify(each)).join(', ')}`);
  }

  #lookAtText(schema: JsonObject, value: string, path: string): void {
    const [least, most] = [numberOf(schema.minLength) ?? 0, numberOf(schema.maxLength) ?? Number.POSITIVE_INFINITY];
    const { pattern, format } = schema;
    if (value.length < least) this.#say(path, `Must have at least ${counted(least, 'character')}`);
    else if (value.length > most)
      this.#say(path, `Must have at most ${counted(most, 'character')}, has ${value.length}`);
    else if (typeof pattern === 'string' && !matches(pattern, value))
      this.#say(path, typeof format === 'string' ? `Is not of the form ${format}` : `Must match ${pattern}`);
  }

  #lookAtNumber(schema: JsonObject, value: number, path: string): void {
    const least = numberOf(schema.minimum);
    const most = numberOf(schema.maximum);
    const above = numberOf(schema.exclusiveMinimum);
    const below = numberOf(schema.exclusiveMaximum);
    if (least !== null && value < least) this.#say(path, `Must be at least ${least}`);
    else if (most !== null && value > most) this.#say(path, `Must be at most ${most}`);
    else if (above !== null && value <= above) this.#say(path, `Must be above ${above}`);
    else if (below !== null && value >= below) this.#say(path, `Must be below ${below}`);
  }

  #lookAtList(schema: JsonObject, value: readonly unknown[], path: string): void {
    const [least, most] = [numberOf(schema.minItems) ?? 0, numberOf(schema.maxItems) ?? Number.POSITIVE_INFINITY];
    if (value.length < least) this.#say(path, `Must have at least ${counted(least, 'item')}`);
    if (value.length > most) this.#say(path, `Must have at most ${counted(most, 'item')}, has ${value.length}`);
    const first = listOf(schema.prefixItems);
    for (const [n, each] of value.entries()) {
      const item = n < first.length ? first[n] : schema.items;
      if (item !== undefined) this.look(item, each, `${path}.${n}`);
    }
  }

  #lookAtObject(schema: JsonObject, value: JsonObject, path: string): void {
    const properties = propertiesOf(schema);
    for (const key of textsOf(schema.required))
      if (!Object.hasOwn(value, key))
        this.faults.push({ path: `${path}.${key}`, message: 'Is required', missing: true });
    for (const [key, each] of Object.entries(value)) {
      if (Object.hasOwn(properties, key)) this.look(properties[key], each, `${path}.${key}`);
      else if (schema.additionalProperties === false) this.#say(`${path}.${key}`, 'Is no field of this type');
      else if (isObject(schema.additionalProperties)) this.look(schema.additionalProperties, each, `${path}.${key}`);
    }
  }

  #say(path: string, message: string): void {
    this.faults.push({ path, message, missing: false });
  }
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'integer':
      return Number.isInteger(value);
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    default:
      return typeof value === type;
  }
}

/** A pattern that this browser does not understand says nothing. */
function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value);
  } catch {
    return true;
  }
}

const withArticle = (types: readonly string[]): string =>
  types.map((type) => (type === 'null' ? 'null' : `${/^[aio]/.test(type) ? 'an' : 'a'} ${type}`)).join(' or ');
const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (isObject(value)) return 'an object';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
}
