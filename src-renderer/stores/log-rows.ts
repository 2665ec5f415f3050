/** Lines of a task's log as rows of one height: control sequences of terminals taken out, long messages broken at their ends of line. Pure. */
import { LOG_LEVELS, type LogLevel, type LogLine } from '#queue/contract/task';

export interface LogRow {
  readonly at: string;
  readonly level: LogLevel;
  readonly attempt: number;
  readonly text: string;
  /** It goes on the row before: time and level stand there. */
  readonly goesOn: boolean;
}

export interface LogFilter {
  /** The least level. */
  readonly level: LogLevel;
  /** Null for all. */
  readonly attempt: number | null;
  readonly words: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what it takes out
const ANSI = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

export const stripAnsi = (text: string): string => text.replace(ANSI, '');

export function logRows(lines: readonly LogLine[], { level, attempt, words }: LogFilter): LogRow[] {
  const least = LOG_LEVELS.indexOf(level);
  const wanted = words.trim().toLowerCase();
  const rows: LogRow[] = [];
  for (const line of lines) {
    if (LOG_LEVELS.indexOf(line.level) < least || (attempt !== null && line.attempt !== attempt)) continue;
    const message = stripAnsi(line.message);
    if (wanted !== '' && !message.toLowerCase().includes(wanted)) continue;
    for (const [n, text] of message.split(/\r?\n/).entries())
      rows.push({ at: line.at, level: line.level, attempt: line.attempt, text, goesOn: n > 0 });
  }
  return rows;
}

/** As a file: one line each, with its time, level and attempt. */
export const logFile = (lines: readonly LogLine[]): string =>
  lines
    .map(({ at, level, attempt, message }) => `${at} ${level.padEnd(5)} ${attempt} ${stripAnsi(message)}\n`)
    .join('');
