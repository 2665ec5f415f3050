/**
 * The kinds of options. Each kind knows how its value is written as text (flag, environment, `.env`), its schema, and
 * how to say in words what it expects, so that a fault and the printed documentation say the same.
 */
import { z } from 'zod';

export const OPTION_GROUPS = ['redis', 'profile', 'api', 'workers', 'tasks', 'files', 'logs'] as const;
export type OptionGroup = (typeof OPTION_GROUPS)[number];

export interface OptionNames {
  /** As commander takes it: `--port <n>`. */
  flag: string;
  env: string;
  group: OptionGroup;
  /** One sentence, without its bounds and its default. */
  about: string;
  /** Never printed, neither in a fault nor in a log. */
  secret?: boolean;
}

/** `flag`: may stand without a value. `paths`: parted by the system's path delimiter or by commas. */
export type OptionForm = 'text' | 'number' | 'switch' | 'list' | 'path' | 'paths';

export interface OptionSpec<Schema extends z.ZodType = z.ZodType> extends OptionNames {
  form: OptionForm;
  schema: Schema;
  /** What a value must be, as the end of "must be …". */
  expects: string;
  /** The default as the documentation prints it. */
  shownDefault: string;
}

interface NumberRange {
  min: number;
  max: number;
  default: number;
  unit?: string;
}

export function whole({ min, max, default: initial }: NumberRange, names: OptionNames) {
  const expects = `a whole number from ${min} to ${max}`;
  const error = `must be ${expects}`;
  const schema = z.int({ error }).min(min, { error }).max(max, { error }).default(initial);
  return { ...names, form: 'number', schema, expects, shownDefault: String(initial) } satisfies OptionSpec;
}

export function seconds({ min, max, default: initial }: NumberRange, names: OptionNames) {
  const expects = `a number of seconds from ${min} to ${max}`;
  const error = `must be ${expects}`;
  const schema = z.number({ error }).min(min, { error }).max(max, { error }).default(initial);
  return { ...names, form: 'number', schema, expects, shownDefault: String(initial) } satisfies OptionSpec;
}

/** A whole number that may be left open: something else then decides. */
export function optionalWhole(
  { min, max, shownDefault }: Omit<NumberRange, 'default'> & { shownDefault: string },
  names: OptionNames,
) {
  const expects = `a whole number from ${min} to ${max}`;
  const error = `must be ${expects}`;
  const schema = z.int({ error }).min(min, { error }).max(max, { error }).nullable().default(null);
  return { ...names, form: 'number', schema, expects, shownDefault } satisfies OptionSpec;
}

export function choice<const Values extends readonly [string, ...string[]]>(
  values: Values,
  initial: Values[number],
  names: OptionNames,
) {
  const expects = `one of ${values.join(', ')}`;
  const schema = z.enum(values, { error: `must be ${expects}` }).default(() => initial);
  return { ...names, form: 'text', schema, expects, shownDefault: initial } satisfies OptionSpec;
}

/** A choice that may be left open: something else then decides. */
export function optionalChoice<const Values extends readonly [string, ...string[]]>(
  values: Values,
  names: OptionNames & { shownDefault: string },
) {
  const expects = `one of ${values.join(', ')}`;
  const schema = z
    .enum(values, { error: `must be ${expects}` })
    .nullable()
    .default(null);
  return { ...names, form: 'text', schema, expects } satisfies OptionSpec;
}

export function onOff(initial: boolean, names: OptionNames) {
  const expects = 'true or false';
  const schema = z.boolean({ error: `must be ${expects}` }).default(initial);
  return { ...names, form: 'switch', schema, expects, shownDefault: String(initial) } satisfies OptionSpec;
}

/** Text that may be left out: then null. `schema` adds what it must look like. */
export function optionalText(
  names: OptionNames & { expects?: string; form?: 'text' | 'path'; shownDefault?: string },
  schema: z.ZodType<string, string> = z.string({ error: 'must be text' }).min(1),
) {
  const { expects = names.form === 'path' ? 'a path' : 'text', form = 'text', shownDefault = '', ...rest } = names;
  return { ...rest, form, schema: schema.nullable().default(null), expects, shownDefault } satisfies OptionSpec;
}

export function textOr(
  initial: string,
  names: OptionNames & { expects?: string },
  schema: z.ZodType<string, string> = z.string({ error: 'must be text' }).min(1),
) {
  const { expects = 'text', ...rest } = names;
  return {
    ...rest,
    form: 'text',
    schema: schema.default(initial),
    expects,
    shownDefault: initial,
  } satisfies OptionSpec;
}

/** Several texts; as text they are parted by commas, in a config file they may be a list. */
export function listOf(
  initial: readonly string[],
  names: OptionNames & { expects: string; form?: 'list' | 'paths' },
  item: z.ZodType<string, string> = z.string().min(1),
) {
  const { form = 'list', ...rest } = names;
  const schema = z
    .array(item, { error: `must be ${names.expects}` })
    .max(100)
    .default([...initial]);
  return { ...rest, form, schema, shownDefault: initial.join(',') } satisfies OptionSpec;
}
