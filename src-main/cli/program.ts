/**
 * The `millrace` program: its commands, and how each way to end becomes an exit code. Everything that it starts is
 * handed in, so that it can be run inside a test.
 */
import { Command, CommanderError } from 'commander';
import type { Config } from '../config';
import { nearest } from '../config/nearest';
import { VERSION } from '../version';
import { type BenchRunner, benchCommand } from './bench';
import { dlqCommand } from './dlq';
import { type DoctorRunner, doctorCommand } from './doctor';
import { CliError, EXIT, type ExitCode } from './exit';
import type { CliIo } from './io';
import { logsCommand } from './logs';
import { addConfigOptions } from './options';
import { queuesCommand, workersCommand } from './queues';
import { type CliDeps, readConfig } from './session';
import { statsCommand } from './stats';
import { submitCommand } from './submit';
import { cancelCommand, retryCommand, taskCommand } from './task';
import { tasksCommand } from './tasks';

export interface ProgramDeps {
  io: CliIo;
  mount: CliDeps['mount'];
  /** API, dashboard and pools, until it is told to stop. @returns the exit code */
  serve: (config: Config) => Promise<number>;
  /** A worker in this process, until it is told to stop. @returns the exit code */
  work: (config: Config) => Promise<number>;
  /** Opens the window. @throws {CliError} where that is not possible here */
  desktop: () => Promise<void>;
  bench: BenchRunner;
  doctor: DoctorRunner;
  /** Called before a command that ends with Ctrl-C by itself; serve and worker mind their signals themselves. */
  onClientCommand: () => void;
}

const SERVING = ['serve', 'worker'];

/** @param args without the names of node and of the program */
export async function runCli(args: readonly string[], deps: ProgramDeps): Promise<number> {
  const { io } = deps;
  let exit = EXIT.done as number;
  const program = buildProgram(deps, (code) => {
    exit = code;
  });
  try {
    const rewritten = rewrite(args);
    refuseUnknown(rewritten[0], program);
    await program.parseAsync(rewritten, { from: 'user' });
    return exit;
  } catch (error) {
    return failureCode(error, io);
  }
}

/** `--headless` and `--worker` anywhere before a command are the commands `serve` and `worker`. @throws {CliError} */
export function rewrite(args: readonly string[]): string[] {
  const end = args.indexOf('--');
  const before = end === -1 ? args : args.slice(0, end);
  const modes = [...new Set(before.filter((arg) => arg === '--headless' || arg === '--worker'))];
  if (modes.length === 0) return [...args];
  if (modes.length > 1) throw new CliError(EXIT.usage, 'error: --headless and --worker exclude each other');
  const rest = args.filter((arg) => arg !== modes[0]);
  return [modes[0] === '--headless' ? 'serve' : 'worker', ...rest];
}

/** The program itself has an action, so commander would take a misspelt command for an argument of that. */
function refuseUnknown(word: string | undefined, program: Command): void {
  const known = [...program.commands.map((command) => command.name()), 'help'];
  if (word === undefined || word.startsWith('-') || known.includes(word)) return;
  const meant = nearest(word, known);
  const hint = meant === null ? 'See millrace --help.' : `Did you mean ${meant}?`;
  throw new CliError(EXIT.usage, `error: unknown command '${word}'. ${hint}`);
}

function buildProgram(deps: ProgramDeps, finish: (code: number) => void): Command {
  const { io } = deps;
  const cliDeps: CliDeps = { io, mount: deps.mount, finish };
  const program = new Command('millrace')
    .description('A Redis-backed task queue and its console. Without a command: the desktop app.')
    .version(VERSION, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .option('--headless', 'the same as the command serve')
    .option('--worker', 'the same as the command worker')
    .action(() => deps.desktop());
  const serving = [
    addConfigOptions(
      new Command('serve').description('Run the API, the dashboard and a worker pool, without a window'),
      ['redis', 'profile', 'api', 'workers', 'tasks', 'files', 'logs'],
    ).action(async (_options: unknown, command: Command) => finish(await deps.serve(readConfig(command, io)))),
    addConfigOptions(new Command('worker').description('Run one worker process and nothing else'), [
      'redis',
      'workers',
      'tasks',
      'files',
      'logs',
    ]).action(async (_options: unknown, command: Command) => finish(await deps.work(readConfig(command, io)))),
  ];
  const commands = [
    ...serving,
    submitCommand(cliDeps),
    tasksCommand(cliDeps),
    taskCommand(cliDeps),
    cancelCommand(cliDeps),
    retryCommand(cliDeps),
    logsCommand(cliDeps),
    dlqCommand(cliDeps),
    queuesCommand(cliDeps),
    workersCommand(cliDeps),
    statsCommand(cliDeps),
    benchCommand(cliDeps, deps.bench),
    doctorCommand(cliDeps, deps.doctor),
  ];
  for (const command of commands) program.addCommand(command);
  program.hook('preAction', (_program, action) => {
    if (!SERVING.includes(action.name())) deps.onClientCommand();
  });
  settle(program, io);
  return program;
}

/** Errors instead of an exit in the middle of things, and all texts through `io`; for every command. */
function settle(command: Command, io: CliIo): void {
  command.exitOverride().configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) });
  command.showSuggestionAfterError(true);
  for (const child of command.commands) settle(child, io);
}

function failureCode(error: unknown, io: CliIo): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage; // it has told why
  if (error instanceof CliError) {
    io.err(`${error.message}\n`);
    return error.exit;
  }
  io.err(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return EXIT.failed;
}
