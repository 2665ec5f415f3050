/** `millrace logs ID`: what the handler wrote; with `--follow`, until the task has ended. */
import { Command } from 'commander';
import { z } from 'zod';
import { isFinal } from '#queue/contract/lifecycle';
import { LogLine, Task } from '#queue/contract/task';
import { asJson, oneLine } from './format';
import { addConnectionOptions } from './options';
import { type CliDeps, pause, type Session, withSession } from './session';

const Logs = z.object({ logs: z.array(LogLine) });
const FOLLOW_EVERY_MS = 500;

interface LogsOptions {
  follow?: boolean;
  json?: boolean;
}

export const logsCommand = (deps: CliDeps): Command =>
  addConnectionOptions(
    new Command('logs')
      .description('Show the lines that the handler of a task wrote')
      .argument('<id>', 'id of the task')
      .option('-f, --follow', 'go on until the task has ended')
      .option('--json', 'print the answer of the API; with --follow, a line of JSON each'),
  ).action((id: string, options: LogsOptions, command: Command) =>
    withSession(command, deps, (session) =>
      options.follow ? follow(id, options, session) : show(id, options, session),
    ),
  );

const pathOf = (id: string): string => `/api/tasks/${encodeURIComponent(id)}`;

async function show(id: string, { json }: LogsOptions, { client, io }: Session): Promise<void> {
  const answer = await client.get(`${pathOf(id)}/logs`, Logs);
  io.out(json ? asJson(answer) : answer.logs.map(lineOf).join(''));
}

async function follow(id: string, { json }: LogsOptions, { client, io }: Session): Promise<void> {
  let shown: readonly LogLine[] = [];
  for (;;) {
    // The status first: lines written before the end are then in the answer that is read after it.
    const { status } = await client.get(pathOf(id), Task);
    const { logs } = await client.get(`${pathOf(id)}/logs`, Logs);
    for (const line of newLines(shown, logs)) io.out(json ? `${JSON.stringify(line)}\n` : lineOf(line));
    shown = logs;
    if (isFinal(status)) return;
    await pause(io, FOLLOW_EVERY_MS);
  }
}

const lineOf = ({ at, level, message }: LogLine): string => `${at} ${level.padEnd(5)} ${oneLine(message)}\n`;

/** Lines of `now` that were not in `before`; old ones may have fallen off its beginning. */
export function newLines(before: readonly LogLine[], now: readonly LogLine[]): LogLine[] {
  const same = (a: LogLine | undefined, b: LogLine | undefined) =>
    a?.at === b?.at && a?.level === b?.level && a?.message === b?.message && a?.attempt === b?.attempt;
  for (let overlap = Math.min(before.length, now.length); overlap > 0; overlap--) {
    const start = before.length - overlap;
    if (now.slice(0, overlap).every((line, index) => same(line, before[start + index]))) return now.slice(overlap);
  }
  return [...now];
}
