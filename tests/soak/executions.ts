/**
 * What handlers have really done, by the lines that they leave in a file: it outlives them, whatever kills them. Each
 * execution has a name of its own, which it also returns as its result.
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { quantile } from '../../bench/report';

/** `{word} {task} {attempt} {execution} {pid} {Unix ms}`; `word` is `begin` or `end`. The source of a function for handlers. */
export const LEAVE_A_LINE = `
import { appendFileSync } from 'node:fs';
const leave = (word, id, attempt, execution) =>
  appendFileSync(process.env.SOAK_LOG, [word, id, attempt, execution, process.pid, Date.now()].join(' ') + '\\n');
`;

export interface Execution {
  task: string;
  attempt: number;
  pid: number;
  beganAt: number;
  /** Null where it threw or was killed. */
  endedAt: number | null;
}

export class Executions {
  readonly #file: string;
  readonly all = new Map<string, Execution>();
  /** When each process began to run something for the last time. */
  readonly lastBegin = new Map<number, number>();
  #read = 0;
  #rest = '';

  constructor(file: string) {
    this.#file = file;
  }

  /** Reads what has come since. */
  refresh(): this {
    if (!existsSync(this.#file)) return this;
    const file = openSync(this.#file, 'r');
    const chunk = Buffer.alloc(1024 * 1024);
    for (let bytes = -1; bytes !== 0; ) {
      bytes = readSync(file, chunk, 0, chunk.length, this.#read);
      this.#read += bytes;
      const lines = (this.#rest + chunk.toString('latin1', 0, bytes)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#take(line);
    }
    closeSync(file);
    return this;
  }

  /** What came so far counts no more. */
  forget(): void {
    this.refresh().all.clear();
  }

  #take(line: string): void {
    const [word, task = '', attempt, name = '', pid, at] = line.split(' ');
    const known = this.all.get(name);
    if (word === 'end' && known !== undefined) known.endedAt = Number(at);
    if (word !== 'begin') return;
    this.all.set(name, { task, attempt: Number(attempt), pid: Number(pid), beganAt: Number(at), endedAt: null });
    this.lastBegin.set(Number(pid), Number(at));
  }

  byTask(): Map<string, Execution[]> {
    const found = new Map<string, Execution[]>();
    for (const execution of this.all.values()) {
      const others = found.get(execution.task);
      if (others === undefined) found.set(execution.task, [execution]);
      else others.push(execution);
    }
    return found;
  }
}

export interface Restart {
  /** From the death of the process to the moment when what it ran began again. */
  ms: number;
  /** Redis was away for somebody meanwhile. */
  disturbed: boolean;
}

export function restartsAfter(
  kills: readonly { pid: number; at: number }[],
  outages: readonly (readonly [number, number])[],
  executions: Executions,
): Restart[] {
  const deaths = new Map(kills.map(({ pid, at }) => [pid, at]));
  const found: Restart[] = [];
  for (const runs of executions.byTask().values())
    for (const [n, { pid, endedAt, beganAt }] of runs.entries()) {
      const death = deaths.get(pid);
      const next = runs[n + 1];
      // Only what it ran when it died: another one may also have thrown long before.
      if (death === undefined || endedAt !== null || next === undefined || next.beganAt < death) continue;
      if (death - beganAt >= LONGEST_RUN_MS) continue;
      const disturbed = outages.some(([from, to]) => from < next.beganAt && to > death);
      found.push({ ms: next.beganAt - death, disturbed });
    }
  return found;
}

export function restartTimes(restarts: readonly Restart[]) {
  const ms = restarts.map((restart) => restart.ms).sort((a, b) => a - b);
  return { count: ms.length, p50: quantile(ms, 0.5), max: ms.at(-1) ?? null };
}

/** Handlers of the soak take 400 ms at most; one that began longer before a kill, and did not end, had thrown. */
const LONGEST_RUN_MS = 1000;
