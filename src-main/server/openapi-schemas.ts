/**
 * The schemas of the document: every one that has a name stands once among the components. One that looks different
 * to senders and to readers (defaults are optional to send, and always answered) stands twice, as `X` and `XInput`.
 */
import { z } from 'zod';

type Json = Record<string, unknown>;
type Direction = 'input' | 'output';

const LOCAL = '#/$defs/';
const COMPONENTS = '#/components/schemas/';

export class SchemaBook {
  readonly #defs: Record<Direction, Map<string, Json>> = { input: new Map(), output: new Map() };
  readonly #inputs: Json[] = [];

  /** @returns the schema, with references to components */
  add(schema: z.ZodType, io: Direction): Json {
    const {
      $schema: _,
      $defs,
      ...json
    } = z.toJSONSchema(schema, { io, unrepresentable: 'any', target: 'draft-2020-12' });
    for (const [name, def] of Object.entries($defs ?? {})) {
      const { id: _id, ...rest } = def;
      this.#defs[io].set(name, this.#rewrite(rest, io));
    }
    return this.#rewrite(json, io);
  }

  /** To be called once, when all have been added: references of senders are pointed to where they differ. */
  components(): Record<string, Json> {
    const { input, output } = this.#defs;
    const differing = new Set(
      [...input.keys()].filter(
        (name) => output.has(name) && JSON.stringify(output.get(name)) !== JSON.stringify(input.get(name)),
      ),
    );
    for (let grown = true; grown; ) {
      // What refers to one that differs differs too.
      grown = false;
      for (const [name, schema] of input) {
        if (differing.has(name) || !output.has(name)) continue;
        if (referencesIn(schema).some((reference) => differing.has(reference)))
          grown = differing.add(name) !== undefined;
      }
    }
    const renamed = (name: string) => (differing.has(name) ? `${name}Input` : name);
    for (const schema of [...this.#inputs, ...input.values()]) redirect(schema, renamed);
    const all = new Map(output);
    for (const [name, schema] of input) all.set(renamed(name), schema);
    return Object.fromEntries([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #rewrite(json: Json, io: Direction): Json {
    const copy = structuredClone(json);
    redirect(copy, (name) => name);
    if (io === 'input') this.#inputs.push(copy);
    return copy;
  }
}

function walk(node: unknown, visit: (object: Json) => void): void {
  if (Array.isArray(node)) for (const item of node) walk(item, visit);
  else if (isJsonObject(node)) {
    visit(node);
    for (const value of Object.values(node)) walk(value, visit);
  }
}

const isJsonObject = (node: unknown): node is Json => typeof node === 'object' && node !== null && !Array.isArray(node);

function nameIn(reference: unknown): string | null {
  if (typeof reference !== 'string') return null;
  return (
    [LOCAL, COMPONENTS]
      .filter((prefix) => reference.startsWith(prefix))
      .map((prefix) => reference.slice(prefix.length))[0] ?? null
  );
}

function redirect(schema: Json, rename: (name: string) => string): void {
  walk(schema, (object) => {
    const name = nameIn(object.$ref);
    if (name !== null) object.$ref = COMPONENTS + rename(name);
  });
}

function referencesIn(schema: Json): string[] {
  const names: string[] = [];
  walk(schema, (object) => {
    const name = nameIn(object.$ref);
    if (name !== null) names.push(name);
  });
  return names;
}
