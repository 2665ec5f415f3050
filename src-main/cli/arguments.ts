/** Reads what people write as arguments. Whatever cannot be read ends the command with exit code 2. */
import { InvalidArgumentError } from 'commander';
import { CliError, EXIT } from './exit';
import type { CliIo } from './io';

/** For commander: a whole number within bounds. */
export const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^-?\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };

export const number =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };

/** For options that may be given several times, or once with commas. */
export const several = (text: string, before: readonly string[] = []): string[] => [
  ...before,
  ...text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
];

/** JSON text, `@file`, or `-` for standard input. @throws {CliError} */
export async function readPayload(text: string, io: CliIo): Promise<unknown> {
  const source = text === '-' ? 'standard input' : text.startsWith('@') ? text.slice(1) : null;
  let json = text;
  if (text === '-') json = await io.stdin();
  else if (source !== null) {
    json = await io.readFile(source).catch((error: unknown) => {
      throw new CliError(EXIT.usage, `--payload: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    });
  }
  try {
    return JSON.parse(json);
  } catch (error) {
    const where = source === null ? '' : ` in ${source}`;
    throw new CliError(EXIT.usage, `--payload: is not JSON${where}: ${error instanceof Error ? error.message : ''}`, {
      cause: error,
    });
  }
}
