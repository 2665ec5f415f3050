/**
 * Where options come from: flags, then the environment, then `.env` in the working folder, then the config file.
 * The first that says something wins, option by option. An empty variable says nothing.
 */
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, resolve } from 'node:path';
import { parse as parseDotenv } from 'dotenv';
import { nearest } from './nearest';
import { isOptionKey, OPTION_KEYS, type OptionKey, optionSpec } from './options';

export const SOURCES = ['flag', 'environment', '.env', 'config file'] as const;
export type Source = (typeof SOURCES)[number];

export interface RawValue {
  /** JSON value: what the schema is given. */
  value: unknown;
  source: Source;
  /** Folder that relative paths in it start at. */
  base: string;
}
export type RawValues = Map<OptionKey, RawValue>;

/** One thing that is wrong with the configuration, as a line for people. */
export type ConfigFault = string;

/** A flag without a value is `true`. */
export type Flags = Partial<Record<OptionKey, string | true>>;

export interface SourceInputs {
  flags: Flags;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
}

/** Values of flags, environment and `.env`. */
export function readTexts({ flags, env, cwd }: SourceInputs): RawValues {
  const dotenvPath = resolve(cwd, '.env');
  const dotenv = existsSync(dotenvPath) ? parseDotenv(readFileSync(dotenvPath)) : {};
  const values: RawValues = new Map();
  for (const key of OPTION_KEYS) {
    const { env: name } = optionSpec(key);
    const found = [
      { text: flags[key], source: 'flag' },
      { text: env[name] || undefined, source: 'environment' },
      { text: dotenv[name] || undefined, source: '.env' },
    ] as const;
    const first = found.find(({ text }) => text !== undefined);
    if (first?.text !== undefined)
      values.set(key, { value: fromText(key, first.text), source: first.source, base: cwd });
  }
  return values;
}

/** Adds what a config file says on options that are still open. */
export function addFile(values: RawValues, path: string): ConfigFault[] {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return [`${path}: ${error instanceof SyntaxError ? `is not JSON: ${error.message}` : 'cannot be read'}`];
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    return [`${path}: must hold a JSON object`];
  const faults: ConfigFault[] = [];
  for (const [key, value] of Object.entries(content)) {
    if (!isOptionKey(key)) {
      const meant = nearest(key, OPTION_KEYS);
      faults.push(`${path}: unknown option "${key}"${meant ? `, did you mean "${meant}"?` : ''}`);
    } else if (!values.has(key) && value !== null) {
      const read = typeof value === 'string' && isList(key) ? fromText(key, value) : value;
      values.set(key, { value: read, source: 'config file', base: dirname(path) });
    }
  }
  return faults;
}

const isList = (key: OptionKey): boolean => ['list', 'paths'].includes(optionSpec(key).form);
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const YES = ['true', '1', 'yes', 'on'];
const NO = ['false', '0', 'no', 'off'];

/** What cannot be read as the option's form stays text, so that its schema refuses it with its own words. */
function fromText(key: OptionKey, text: string | true): unknown {
  if (text === true) return true;
  const trimmed = text.trim();
  switch (optionSpec(key).form) {
    case 'number':
      return NUMBER.test(trimmed) ? Number(trimmed) : text;
    case 'switch':
      return YES.includes(trimmed.toLowerCase()) ? true : NO.includes(trimmed.toLowerCase()) ? false : text;
    case 'list':
      return split(text, ',');
    case 'paths':
      return text.split(delimiter).flatMap((part) => split(part, ','));
    default:
      return text;
  }
}

const split = (text: string, separator: string): string[] =>
  text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
