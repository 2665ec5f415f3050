/** A field's text and the value that it stands for, both ways; and that value in the payload. Pure. */
import { isObject, type JsonObject } from './json-schema';
import type { PayloadField } from './payload-fields';

export function valueAt(payload: unknown, path: readonly string[]): unknown {
  let at = payload;
  for (const key of path) at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  return at;
}

/** A copy with the value set; undefined takes it out, and objects that were only there for it. */
export function withValue(payload: unknown, path: readonly string[], value: unknown): JsonObject {
  const [key = '', ...rest] = path;
  const before = isObject(payload) ? payload : {};
  const inner =
    rest.length === 0 ? value : withValue(Object.hasOwn(before, key) ? before[key] : undefined, rest, value);
  const empty =
    inner === undefined || (rest.length > 0 && value === undefined && Object.keys(inner ?? {}).length === 0);
  if (!empty) return { ...before, [key]: inner };
  const { [key]: _, ...others } = before;
  return others;
}

/** A value as its field shows it. */
export function textOfValue(value: unknown, field: PayloadField): string {
  if (value === undefined) return '';
  if (field.kind === 'list' && Array.isArray(value) && value.every(isPlainItem))
    return value.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join('\n');
  if (typeof value === 'string' && field.kind !== 'boolean') return value;
  return JSON.stringify(value);
}

/** What would be split or trimmed away on the way back is shown as JSON. */
const isPlainItem = (item: unknown): boolean =>
  typeof item === 'string'
    ? item !== '' && item.trim() === item && !/[\n\r]/.test(item) && !item.startsWith('[')
    : !isObject(item) && !Array.isArray(item);

/** What is typed as the value it means; what does not fit stays a text, which the check then names. Nothing is undefined. */
export function readText(text: string, field: Pick<PayloadField, 'kind' | 'item' | 'nullable' | 'choices'>): unknown {
  if (text.trim() === '') return undefined;
  if (field.nullable && text.trim() === 'null') return null;
  switch (field.kind) {
    case 'string':
      return text;
    case 'choice':
      return (
        field.choices.find((choice) => text === (typeof choice === 'string' ? choice : JSON.stringify(choice))) ?? text
      );
    case 'number':
    case 'integer':
      return toNumber(text);
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'list': {
      const whole = text.trim().startsWith('[') ? parsed(text) : undefined;
      if (Array.isArray(whole)) return whole;
      const lines = text
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '');
      return lines.map((line) =>
        readText(line, { kind: field.item ?? 'string', item: null, nullable: false, choices: [] }),
      );
    }
    case 'mixed': {
      const value = /^\s*[[{]/.test(text) ? parsed(text) : undefined;
      return value === undefined ? text : value;
    }
    case 'json': {
      const value = parsed(text);
      return value === undefined ? text : value;
    }
  }
}

const toNumber = (text: string): unknown => {
  const value = Number(text);
  return Number.isFinite(value) ? value : text;
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not JSON: it is what it looks like, a text
  }
}

/** A value that no schema speaks for: numbers and words only where they come back as they were written. */
export function guessValue(text: string): unknown {
  if (text === '') return undefined;
  if (/^\s*[[{"]/.test(text)) {
    const value = parsed(text);
    return value === undefined ? text : value;
  }
  if (text === 'true' || text === 'false' || text === 'null') return parsed(text);
  const value = Number(text);
  return Number.isFinite(value) && String(value) === text ? value : text;
}
