/**
 * Runs the programs of exec handlers. No shell; a clean environment, so that no address or token of ours reaches the
 * program; a process group of its own, so that what the program starts ends with it. Payload in, result out, both as
 * JSON; what it says on standard error is progress and logs (src-worker/exec-protocol.ts).
 *
 * Exit codes: 0 is success, 65 (EX_DATAERR) fails for good, every other one, 75 (EX_TEMPFAIL) too, fails the attempt.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { isAbsolute, resolve } from 'node:path';
import { LIMITS } from '#queue/contract/limits';
import type { Clock } from '#queue/kernel/clock';
import { LineCutter, readProgramLine } from './exec-protocol';
import { FatalError, type HandlerContext } from './handler';
import { ResultError } from './json-edges';
import type { RunProgram } from './registry';

const EX_DATAERR = 65;
/** Lines of standard error that an error quotes. */
const LINES_QUOTED = 5;
const KILL_AFTER_MS = 2_000;
/** How long output may stay open after the program's end: something it left running holds the pipe. */
const DRAIN_MS = 1_000;
const LINE_BYTES = 4 * LIMITS.logLineLength;
const INHERITED = ['PATH', 'HOME', 'LANG', 'TMPDIR'] as const;

export class ExitError extends Error {
  override readonly name: string = 'ExitError';
}

export interface ExecRunnerDeps {
  clock: Clock;
  /** The worker's own environment; only PATH, HOME, LANG and TMPDIR of it are passed on. */
  environment: Readonly<Record<string, string | undefined>>;
}

type Program = Parameters<RunProgram>[0];

export class ExecRunner {
  readonly #deps: ExecRunnerDeps;
  readonly #running = new Set<ChildProcessWithoutNullStreams>();

  constructor(deps: ExecRunnerDeps) {
    this.#deps = deps;
  }

  /**
   * @returns what the program wrote to standard output, parsed; null where it wrote nothing
   * @throws the signal's reason when it was killed for that, FatalError, ResultError or ExitError
   */
  readonly run: RunProgram = async (program, context) => {
    context.signal.throwIfAborted();
    const child = this.#spawn(program, context);
    this.#running.add(child);
    const stop = () => void this.#terminate(child);
    context.signal.addEventListener('abort', stop, { once: true });
    try {
      return await this.#talk(child, context);
    } finally {
      context.signal.removeEventListener('abort', stop);
      this.#running.delete(child);
    }
  };

  /** Kills what runs, at once: for the end of the process. Synchronous. */
  killAll(): void {
    for (const child of this.#running) signalGroup(child, 'SIGKILL');
  }

  #spawn({ command, folder, env }: Program, { task }: HandlerContext<unknown>): ChildProcessWithoutNullStreams {
    const [program, ...args] = command;
    const path = !isAbsolute(program) && /[\\/]/.test(program) ? resolve(folder, program) : program;
    const inherited = INHERITED.map((name) => [name, this.#deps.environment[name]] as const);
    return spawn(path, args, {
      cwd: folder,
      env: {
        ...Object.fromEntries(inherited.filter(([, value]) => value !== undefined)),
        ...env,
        MILLRACE_TASK_ID: task.id,
        MILLRACE_TASK_TYPE: task.type,
        MILLRACE_ATTEMPT: String(task.attempt),
      },
      shell: false,
      detached: true, // its own process group, and no terminal signal of ours reaches it
      windowsHide: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  async #talk(child: ChildProcessWithoutNullStreams, context: HandlerContext<unknown>): Promise<unknown> {
    const quoted: string[] = [];
    let badProgress: unknown;
    const lines = new LineCutter(LINE_BYTES, (text) => {
      const line = readProgramLine(text);
      if (line.kind === 'progress') {
        context.progress(line.percent, line.message).catch((error: unknown) => {
          badProgress ??= context.signal.aborted ? undefined : error;
        });
        return;
      }
      context.log[line.level](line.message);
      quoted.push(line.message);
      if (quoted.length > LINES_QUOTED) quoted.shift();
    });
    const output: Buffer[] = [];
    let outputBytes = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      outputBytes += chunk.length;
      if (outputBytes <= LIMITS.resultBytes) output.push(chunk);
      else signalGroup(child, 'SIGKILL');
    });
    child.stderr.on('data', (chunk: Buffer) => lines.push(chunk));
    child.stdin.on('error', () => child.stdin.destroy()); // it ended without reading: its exit code tells how
    child.stdin.end(JSON.stringify(context.payload ?? null));

    const { code, signal } = await this.#ended(child);
    lines.end();
    context.signal.throwIfAborted();
    if (outputBytes > LIMITS.resultBytes) {
      throw new ResultError(`the program wrote more than ${LIMITS.resultBytes} bytes to standard output`);
    }
    if (badProgress !== undefined) throw badProgress;
    if (code === 0) return parseResult(Buffer.concat(output).toString());
    const said = quoted.length === 0 ? '' : `: ${quoted.join('\n')}`;
    const how =
      code === null ? `the program was killed by ${signal ?? 'a signal'}` : `the program ended with exit code ${code}`;
    throw code === EX_DATAERR ? new FatalError(how + said) : new ExitError(how + said);
  }

  #ended(child: ChildProcessWithoutNullStreams): Promise<{ code: number | null; signal: string | null }> {
    const drained = new AbortController();
    return new Promise((done, failed) => {
      child.once('error', (error) =>
        failed(new ExitError(`the program could not be started: ${error.message}`, { cause: error })),
      );
      child.once('exit', () => {
        void this.#deps.clock.sleep(DRAIN_MS, drained.signal).then(() => {
          if (drained.signal.aborted) return;
          signalGroup(child, 'SIGKILL');
          child.stdout.destroy();
          child.stderr.destroy();
        });
      });
      child.once('close', (code, signal) => {
        drained.abort();
        done({ code, signal });
      });
    });
  }

  async #terminate(child: ChildProcessWithoutNullStreams): Promise<void> {
    const ended = new AbortController();
    child.once('close', () => ended.abort());
    signalGroup(child, 'SIGTERM');
    await this.#deps.clock.sleep(KILL_AFTER_MS, ended.signal);
    if (!ended.signal.aborted) signalGroup(child, 'SIGKILL');
  }
}

function parseResult(text: string): unknown {
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ResultError('the program wrote something to standard output that is not JSON', { cause: error });
  }
}

/** To the group, and to the program alone where there are no groups (Windows). */
function signalGroup(child: ChildProcessWithoutNullStreams, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal); // no such group: it has ended, or this system has none
  }
}
