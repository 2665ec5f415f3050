/** What a program says on its standard error: lines of JSON for progress and logs, anything else is a log line. */

import { z } from 'zod';
import { LOG_LEVELS, type LogLevel } from '#queue/contract/task';

const ProgressLine = z.object({ progress: z.number(), message: z.string().optional() });
const LogLineShape = z.object({ log: z.enum(LOG_LEVELS), message: z.string() });

export type ProgramLine =
  | { kind: 'progress'; percent: number; message: string | undefined }
  | { kind: 'log'; level: LogLevel; message: string };

export function readProgramLine(line: string): ProgramLine {
  const value = line.startsWith('{') ? jsonOrUndefined(line) : undefined;
  const progress = ProgressLine.safeParse(value);
  if (progress.success) return { kind: 'progress', percent: progress.data.progress, message: progress.data.message };
  const log = LogLineShape.safeParse(value);
  if (log.success) return { kind: 'log', level: log.data.log, message: log.data.message };
  return { kind: 'log', level: 'info', message: line };
}

function jsonOrUndefined(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined; // a line that only looks like JSON is an ordinary line
  }
}

/** Cuts a stream of bytes into lines, whatever the chunks; a line longer than `maxBytes` is cut off there. */
export class LineCutter {
  readonly #maxBytes: number;
  readonly #online: (line: string) => void;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number, online: (line: string) => void) {
    this.#maxBytes = maxBytes;
    this.#online = online;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      this.#keep(chunk.subarray(from, at));
      this.end();
      from = at + 1;
    }
    this.#keep(chunk.subarray(from));
  }

  /** What is left is a line, too. */
  end(): void {
    const line = Buffer.concat(this.#parts).toString().trimEnd();
    this.#parts = [];
    this.#bytes = 0;
    if (line !== '') this.#online(line);
  }

  #keep(part: Buffer): void {
    const kept = part.subarray(0, this.#maxBytes - this.#bytes);
    if (kept.length === 0) return;
    this.#parts.push(kept);
    this.#bytes += kept.length;
  }
}
