/**
 * The entry of the `millrace` program: binds its commands to this process. What a command needs beyond the API is loaded
 * when it is run: a `millrace tasks` should not wait for the server, the worker and their libraries to be read.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { systemClock } from '#queue/kernel/clock';
import { createLog } from '#queue/kernel/log';
import { CliError, EXIT } from './cli/exit';
import { processIo } from './cli/io';
import { runCli } from './cli/program';
import { type Config, windowEnvironment } from './config';
import { findProgramFiles, type ProgramFiles } from './program-files';

async function main(): Promise<number> {
  const files = findProgramFiles(__dirname);
  const interrupted = new AbortController();
  const io = processIo(interrupted.signal);
  // Somebody closed the pipe (`| head`): nobody reads on, so there is nothing left to do.
  process.stdout.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed),
  );
  const logOf = (config: Config) => createLog({ ...config.log, level: quieter(config.log.level) });
  return runCli(process.argv.slice(2), {
    io,
    mount: async (config) => (await import('./mount-app')).mountApp(config, { files, log: logOf(config) }),
    serve: async (config) => (await import('./headless')).runHeadless(config, files),
    work: async (config) => (await import('./worker-process')).runWorkerProcess(config, files),
    desktop: () => openWindow(files),
    bench: async (config, options) =>
      (await import('./bench-process')).runBenchOn(config, options, { files, io, log: logOf(config) }),
    doctor: async (config) =>
      (await import('./doctor-process')).diagnose(config, { files, clock: systemClock, log: logOf(config) }),
    onClientCommand: () => {
      process.on('SIGINT', () => {
        if (interrupted.signal.aborted) process.exit(EXIT.interrupted);
        interrupted.abort();
      });
    },
  });
}

/** Commands tell what matters themselves; of the log only what went wrong is of use beside their output. */
const quieter = (level: Config['log']['level']): Config['log']['level'] => (level === 'info' ? 'error' : level);

/** The launcher of an installed app runs this program with Electron as Node; the app itself is Electron without that. */
async function openWindow({ root }: ProgramFiles): Promise<void> {
  if (process.versions.electron === undefined) {
    throw new CliError(
      EXIT.usage,
      'The desktop app needs Electron, and this is plain Node. In a checkout, start it with: npm start\nWithout a window: millrace --headless (then open the address that it prints). All commands: millrace --help',
    );
  }
  const child: ChildProcess = spawn(process.execPath, root.endsWith('.asar') ? [] : [root], {
    detached: true,
    stdio: 'ignore',
    env: windowEnvironment(),
  });
  await once(child, 'spawn');
  child.unref();
}

main().then(
  (code) => process.stdout.write('', () => process.exit(code)),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(EXIT.failed);
  },
);
