/**
 * Values made from a schema of the contract: those that it allows, its bounds among them, and the places in it with what
 * they do not allow. By way of JSON Schema, which is what the contract tells the outside about itself.
 */
import fc from 'fast-check';
import { z } from 'zod';

/** As much of JSON Schema as zod writes. */
const Node = z.looseObject({
  $ref: z.string().optional(),
  type: z.string().optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  allOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  items: z.unknown().optional(),
  minItems: z.number().optional(),
  maxItems: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  pattern: z.string().optional(),
  format: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  $defs: z.record(z.string(), z.unknown()).optional(),
});
type Node = z.infer<typeof Node>;

/** A place in a value: the keys that lead there, and what stands out of bounds there. */
export interface Place {
  path: readonly string[];
  wrong: readonly unknown[];
}

/** Above it a bound is not filled up: the body would be too long for anything else to be seen. */
const MOST_TEXT = 2000;
const MOST_ITEMS = 120;
const TIMES = ['2099-01-01T00:00:00Z', '2001-09-09T01:46:40.000Z', '2026-02-28T23:59:60+14:00', '1970-01-01T00:00:00Z'];

export class SchemaValues {
  readonly #root: Node;
  readonly #defs: Record<string, unknown>;
  /** Values for fields that name something which has to be there: ids, queues. */
  readonly #known: (field: string) => fc.Arbitrary<unknown> | null;

  constructor(schema: z.ZodType, known: (field: string) => fc.Arbitrary<unknown> | null = () => null) {
    this.#root = Node.parse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
    this.#defs = this.#root.$defs ?? {};
    this.#known = known;
  }

  /** What the schema allows, as far as JSON Schema can say it. */
  allowed(): fc.Arbitrary<unknown> {
    return this.#of(this.#root, '');
  }

  /** Every place of the schema, the whole value first. */
  places(): Place[] {
    return this.#placesOf(this.#root, []);
  }

  #node(raw: unknown): Node {
    const node = Node.parse(raw);
    const name = node.$ref?.split('/').at(-1);
    return name === undefined ? node : this.#node(this.#defs[name]);
  }

  #of(raw: unknown, field: string): fc.Arbitrary<unknown> {
    const node = this.#node(raw);
    const made = this.#made(node, field);
    // Of a list, its items have the name.
    const known = node.type === 'string' || node.anyOf !== undefined ? this.#known(field) : null;
    return known === null ? made : fc.oneof({ weight: 30, arbitrary: known }, { weight: 1, arbitrary: made });
  }

  #made(node: Node, field: string): fc.Arbitrary<unknown> {
    if (node.const !== undefined) return fc.constant(node.const);
    if (node.enum !== undefined) return fc.constantFrom(...node.enum);
    const branches = node.anyOf ?? node.oneOf;
    if (branches !== undefined) return fc.oneof(...branches.map((branch) => this.#made(this.#node(branch), field)));
    if (node.allOf !== undefined) return this.#made(this.#node(node.allOf[0]), field);
    switch (node.type) {
      case 'object':
        return this.#object(node);
      case 'array': {
        const { min, max } = { min: node.minItems ?? 0, max: Math.min(node.maxItems ?? 3, MOST_ITEMS) };
        const items = this.#of(node.items ?? {}, field);
        return fc.oneof(
          { weight: 5, arbitrary: fc.array(items, { minLength: min, maxLength: Math.min(max, min + 2) }) },
          { weight: 1, arbitrary: fc.array(items, { minLength: max, maxLength: max }) },
        );
      }
      case 'string':
        return this.#text(node);
      case 'integer':
        return this.#number(node, true);
      case 'number':
        return this.#number(node, false);
      case 'boolean':
        return fc.boolean();
      case 'null':
        return fc.constant(null);
      default:
        return fc.jsonValue({ maxDepth: 3 });
    }
  }

  #object(node: Node): fc.Arbitrary<unknown> {
    const fields = Object.entries(node.properties ?? {});
    if (fields.length === 0) return fc.dictionary(fc.string({ unit: 'binary', maxLength: 8 }), fc.jsonValue());
    const model = Object.fromEntries(fields.map(([name, raw]) => [name, this.#of(raw, name)]));
    return fc.record(model, { requiredKeys: node.required ?? [], noNullPrototype: true });
  }

  #text(node: Node): fc.Arbitrary<string> {
    if (node.format === 'date-time') return fc.constantFrom(...TIMES);
    if (node.pattern !== undefined) return fc.stringMatching(new RegExp(node.pattern, 'u'), { size: 'small' });
    const { min, max } = { min: node.minLength ?? 0, max: Math.min(node.maxLength ?? 40, MOST_TEXT) };
    const unit = 'binary' as const; // every code point but surrogates
    return fc.oneof(
      { weight: 5, arbitrary: fc.string({ unit, minLength: min, maxLength: Math.min(max, min + 20) }) },
      { weight: 1, arbitrary: fc.constant('x'.repeat(max)) },
    );
  }

  #number(node: Node, whole: boolean): fc.Arbitrary<number> {
    const [min, max] = [node.minimum ?? 0, node.maximum ?? Number.MAX_SAFE_INTEGER];
    const between = whole ? fc.integer({ min, max }) : fc.double({ min, max, noNaN: true, noDefaultInfinity: true });
    return fc.oneof(fc.constantFrom(min, max), between);
  }

  #placesOf(raw: unknown, path: readonly string[]): Place[] {
    const node = this.#node(raw);
    const here = { path, wrong: wrongFor(node) };
    const branches = [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
    if (branches.length > 0) {
      const inner = branches.flatMap((branch) => this.#placesOf(branch, path));
      return [
        { path, wrong: [...here.wrong, ...inner.filter((p) => p.path === path).flatMap((p) => p.wrong)] },
        ...inner,
      ];
    }
    if (node.type === 'array') return [here, ...this.#placesOf(node.items ?? {}, [...path, '0'])];
    const fields = Object.entries(node.properties ?? {});
    return [here, ...fields.flatMap(([name, inner]) => this.#placesOf(inner, [...path, name]))];
  }
}

/** One step past each bound. */
function wrongFor(node: Node): unknown[] {
  switch (node.type) {
    case 'integer':
    case 'number': {
      const bounds = [node.minimum, node.maximum].filter((bound) => bound !== undefined);
      return [...bounds.flatMap((bound) => [bound - 1, bound + 1, bound + 0.5, String(bound)]), [bounds[0] ?? 0]];
    }
    case 'string':
      return ['', 'x'.repeat((node.maxLength ?? 64) + 1), 5, { a: 'b' }, ['a']];
    case 'array':
      return [
        { 0: 'a', length: 1 },
        'a',
        Array.from({ length: Math.min((node.maxItems ?? 100) + 1, 1001) }, () => 'a'),
      ];
    case 'object':
      return [[], 'a', 1, null];
    case 'boolean':
      return [0, 'true', 'false'];
    default:
      return [];
  }
}
