/**
 * How a field that does not fit is told of, where its schema has no words of its own: as the end of a sentence that
 * begins with the name of the field. zod's own words ("Too big: expected number to be <=10") are for programmers.
 */
import type { z } from 'zod';

const KINDS: Record<string, string> = {
  string: 'must be text',
  number: 'must be a number',
  int: 'must be a whole number',
  boolean: 'must be true or false',
  array: 'must be a list',
  object: 'must be an object',
  record: 'must be an object',
};

/** What the length of it is counted in; absent for numbers. */
const UNITS: Record<string, string> = { string: 'characters', array: 'items', set: 'items' };

/** Reads what somebody sent; what is wrong with it is told in plain words. */
export function parseSent<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.ZodSafeParseResult<z.output<Schema>> {
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed : schema.safeParse(value, { error: plainWording }); // with the words it takes twice as long
}

const plainWording: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is required' : KINDS[issue.expected];
    case 'too_big':
      return bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'too_small':
      return bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'invalid_value':
      return choice(issue.values);
    case 'invalid_union':
      return Array.isArray(issue.options) && issue.options.length > 0 ? choice(issue.options) : undefined;
    default:
      return undefined; // zod's words
  }
};

function bound(origin: string, how: string, limit: number | bigint): string {
  const unit = UNITS[origin];
  if (unit === undefined) return `must be ${how} ${limit}`;
  return `must have ${how} ${limit} ${limit === 1 ? unit.slice(0, -1) : unit}`;
}

const choice = (values: readonly unknown[]): string =>
  values.length === 1 ? `must be ${String(values[0])}` : `must be one of ${values.map(String).join(', ')}`;
