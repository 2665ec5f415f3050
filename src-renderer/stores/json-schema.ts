/** Reading a JSON Schema that a worker has announced: anything may stand in it, so what is not understood is passed over. Pure. */
export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** References that lead to references: a circle ends here. */
const HOPS = 16;

/** The schema that a `$ref` within `root` stands for, with what stands beside the reference. */
export function resolveSchema(root: unknown, schema: unknown): JsonObject {
  let found = isObject(schema) ? schema : {};
  for (let hop = 0; typeof found.$ref === 'string'; hop++) {
    const { $ref, ...beside } = found;
    const target = hop < HOPS ? followPointer(root, String($ref)) : undefined;
    found = { ...(isObject(target) ? target : {}), ...beside };
  }
  return found;
}

function followPointer(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#')) return undefined;
  let at: unknown = root;
  for (const part of reference.slice(1).split('/').slice(1)) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  }
  return at;
}

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const textsOf = (value: unknown): string[] => listOf(value).filter((each) => typeof each === 'string');
export const propertiesOf = (schema: JsonObject): JsonObject => (isObject(schema.properties) ? schema.properties : {});
export const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);

/** `type` as a list; none where any is allowed. */
export const typesOf = (schema: JsonObject): string[] =>
  typeof schema.type === 'string' ? [schema.type] : textsOf(schema.type);

export const alternativesOf = (schema: JsonObject): readonly unknown[] => [
  ...listOf(schema.anyOf),
  ...listOf(schema.oneOf),
];
