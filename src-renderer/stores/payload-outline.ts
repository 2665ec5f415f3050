/** The fields of a payload as its JSON Schema names them: to show what a type wants, and to begin a payload with. */
interface OutlineField {
  name: string;
  /** In words: `string`, `integer or null`, `one of "a", "b"`. */
  kind: string;
  required: boolean;
  description: string;
}

/** @returns no fields for a schema that is not of an object with properties, or for none */
export function outlinePayload(schema: unknown): OutlineField[] {
  const { properties, required } = partsOf(schema);
  return Object.entries(properties)
    .map(([name, property]) => ({
      name,
      kind: kindOf(property),
      required: required.includes(name),
      description: textOf(property, 'description'),
    }))
    .sort((a, b) => Number(b.required) - Number(a.required));
}

/** A payload with the required fields, each empty or at its default. */
export function beginPayload(schema: unknown): Record<string, unknown> {
  const { properties, required } = partsOf(schema);
  return Object.fromEntries(required.map((name) => [name, emptyOf(properties[name])]));
}

type JsonObject = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** JSON Schema allows nearly anything: what is not understood is left out. */
function partsOf(schema: unknown): { properties: JsonObject; required: string[] } {
  if (!isObject(schema)) return { properties: {}, required: [] };
  const { properties, required } = schema;
  return {
    properties: isObject(properties) ? properties : {},
    required: Array.isArray(required) ? required.filter((name) => typeof name === 'string') : [],
  };
}

function textOf(property: unknown, key: string): string {
  const value = isObject(property) ? property[key] : undefined;
  return typeof value === 'string' ? value : '';
}

function typesOf(property: unknown): string[] {
  const type = isObject(property) ? property.type : undefined;
  return (Array.isArray(type) ? type : [type]).filter((name) => typeof name === 'string');
}

function choicesOf(property: unknown): readonly unknown[] | null {
  return isObject(property) && Array.isArray(property.enum) ? property.enum : null;
}

function kindOf(property: unknown): string {
  const choices = choicesOf(property);
  if (choices !== null) return `one of ${choices.map((value) => JSON.stringify(value)).join(', ')}`;
  return typesOf(property).join(' or ') || 'any';
}

function emptyOf(property: unknown): unknown {
  if (isObject(property) && property.default !== undefined) return property.default;
  const choices = choicesOf(property);
  if (choices !== null) return choices[0];
  switch (typesOf(property)[0]) {
    case 'number':
    case 'integer':
      return 0;
    case 'boolean':
      return false;
    case 'array':
      return [];
    case 'object':
      return {};
    default:
      return '';
  }
}
