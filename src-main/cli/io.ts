/**
 * What a command has to do with the world: results to standard output, messages to standard error, its input, the
 * time, and the wish of the user to end. Handed in, so that tests run commands without a process of their own.
 */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { type Clock, systemClock } from '#queue/kernel/clock';
import { type ConfigInputs, systemInputs } from '../config';
import type { Flags } from '../config/sources';

export interface CliIo {
  /** Results. Adds no line end. */
  out(text: string): void;
  /** Messages, warnings, progress. Adds no line end. */
  err(text: string): void;
  /** All of standard input, as text. */
  stdin(): Promise<string>;
  readFile(path: string): Promise<string>;
  /** Whether people look at it: then colour, redrawing, and progress bars. */
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  /** For bars that redraw themselves. */
  readonly errStream: NodeJS.WritableStream;
  readonly clock: Clock;
  /** Aborted by the first Ctrl-C. Commands that run for long watch it. */
  readonly interrupted: AbortSignal;
  inputs(flags: Flags, configFile: string | null): ConfigInputs;
}

/** The real one. `interrupted` comes from the entry, which owns the signals of the process. */
export const processIo = (interrupted: AbortSignal): CliIo => ({
  out: (chunk) => void process.stdout.write(chunk),
  err: (chunk) => void process.stderr.write(chunk),
  stdin: () => text(process.stdin),
  readFile: (path) => readFile(path, 'utf8'),
  outIsTerminal: process.stdout.isTTY ?? false,
  errIsTerminal: process.stderr.isTTY ?? false,
  errStream: process.stderr,
  clock: systemClock,
  interrupted,
  inputs: systemInputs,
});
