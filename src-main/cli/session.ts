/** What every command that asks the API is given, opened for it and closed after it. */
import type { Command } from 'commander';
import { type Config, ConfigError, loadConfig } from '../config';
import { ApiClient, type Transport } from './api-client';
import { CliError, EXIT, type ExitCode } from './exit';
import type { CliIo } from './io';
import { configFileOf, flagsOf } from './options';
import { chooseTransport } from './transport';

/** What the program hands to its commands. */
export interface CliDeps {
  io: CliIo;
  /** Mounts the app inside this process, for commands with `--redis`. */
  mount: (config: Config) => Promise<Transport>;
  /** Exit code of a command that ended as it should. */
  finish(code: ExitCode): void;
}

export interface Session {
  io: CliIo;
  config: Config;
  client: ApiClient;
}

/** @throws {CliError} 2, with a line for every fault */
export function readConfig(command: Command, io: CliIo): Config {
  try {
    return loadConfig(io.inputs(flagsOf(command), configFileOf(command)));
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(EXIT.usage, error.message, { cause: error });
    throw error;
  }
}

export async function withSession<T>(
  command: Command,
  deps: CliDeps,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const { io, mount } = deps;
  const config = readConfig(command, io);
  const api: unknown = command.opts().api;
  const transport = await chooseTransport({ config, api: typeof api === 'string' ? api : null, mount });
  try {
    return await use({ io, config, client: new ApiClient(transport, io.interrupted) });
  } finally {
    await transport.close();
  }
}

/** Waits, or ends the command where the user has had enough. @throws {CliError} 130 */
export async function pause(io: CliIo, ms: number): Promise<void> {
  await io.clock.sleep(ms, io.interrupted);
  if (io.interrupted.aborted) throw new CliError(EXIT.interrupted, 'interrupted');
}
