/** A file of tasks: what was read of it, what is being sent, what became of it. No I/O. */
import { LIMITS } from '#queue/contract/limits';
import type { SubmitTaskInput } from '#queue/contract/task';
import type { FileFormat } from './many-rows';

export interface PreviewRow {
  readonly line: number;
  readonly text: string;
  readonly task: SubmitTaskInput | null;
  readonly fault: string;
}
export type Rejected = Pick<PreviewRow, 'line' | 'text' | 'fault'>;

/**
 * `reading`: looked through, nothing is sent. `ready`: may be sent. `sending`. `stopped`: by hand, or by a failure that
 * `error` tells; can go on. `done`.
 */
export type ManyPhase = 'empty' | 'reading' | 'ready' | 'sending' | 'stopped' | 'done';

export class ManyStore {
  phase = $state<ManyPhase>('empty');
  file = $state.raw<File | null>(null);
  format = $state<FileFormat>('jsonl');
  /** For rows that name none. */
  type = $state('');
  queue = $state('');
  /** First line of a CSV. */
  columns = $state.raw<readonly string[]>([]);
  bytesRead = $state(0);
  rows = $state(0);
  valid = $state(0);
  /** How many go to each queue. */
  queues = $state.raw<Readonly<Record<string, number>>>({});
  preview = $state.raw<readonly PreviewRow[]>([]);
  rejects = $state.raw<readonly Rejected[]>([]);
  rejectedCount = $state(0);
  accepted = $state(0);
  /** Rows that have their verdict; what is sent next begins behind them. */
  handled = $state(0);
  /** Rows of the request that failed: they may be stored or not. */
  unsure = $state.raw<{ readonly from: number; readonly to: number } | null>(null);
  warnings = $state.raw<readonly string[]>([]);
  stopping = $state(false);
  error = $state.raw<unknown>(null);
  startedAt = $state(0);
  endedAt = $state(0);
  /** What had been handled before it was begun, or begun again. */
  startedWith = $state(0);

  readonly busy = $derived(this.phase === 'reading' || this.phase === 'sending');
  readonly share = $derived(this.rows === 0 ? 0 : (100 * this.handled) / this.rows);

  choose(file: File, format: FileFormat): void {
    this.file = file;
    this.format = format;
    this.restart();
  }

  /** The file is looked through from its begin. */
  restart(): void {
    this.phase = this.file === null ? 'empty' : 'reading';
    Object.assign(this, { bytesRead: 0, rows: 0, valid: 0, accepted: 0, handled: 0, startedWith: 0, rejectedCount: 0 });
    Object.assign(this, { columns: [], preview: [], rejects: [], warnings: [], queues: {}, unsure: null, error: null });
    this.stopping = false;
  }

  clear(): void {
    this.file = null;
    this.restart();
  }

  looked(rows: readonly PreviewRow[], bytesRead: number): void {
    this.bytesRead = bytesRead;
    this.rows += rows.length;
    const queues = { ...this.queues };
    for (const { task } of rows) {
      if (task === null) continue;
      const queue = task.queue ?? 'default';
      queues[queue] = 1 + (Object.hasOwn(queues, queue) ? (queues[queue] ?? 0) : 0); // one may be called `constructor`
    }
    this.queues = queues;
    const bad = rows.filter(({ task }) => task === null);
    this.valid += rows.length - bad.length;
    this.#keep(bad);
    if (this.preview.length < LIMITS.submitPreviewRows)
      this.preview = [...this.preview, ...rows].slice(0, LIMITS.submitPreviewRows);
  }

  begin(now: number): void {
    this.phase = 'sending';
    this.error = null;
    this.unsure = null;
    this.stopping = false;
    this.startedAt = now;
    this.startedWith = this.handled;
  }

  /** @param handled rows of the file with their verdict, this chunk's among them */
  sent(accepted: number, rejected: readonly Rejected[], warnings: readonly string[], handled: number): void {
    this.accepted += accepted;
    this.#keep(rejected);
    this.warnings = [...new Set([...this.warnings, ...warnings])];
    this.handled = handled;
  }

  end(phase: 'stopped' | 'done', now: number): void {
    this.phase = phase;
    this.endedAt = now;
  }

  fail(error: unknown, now: number, unsure: ManyStore['unsure']): void {
    this.error = error;
    this.unsure = unsure;
    this.end('stopped', now);
  }

  #keep(rejected: readonly Rejected[]): void {
    if (rejected.length === 0) return;
    this.rejectedCount += rejected.length;
    if (this.rejects.length < LIMITS.submitRejectsKept)
      this.rejects = [...this.rejects, ...rejected].sort((a, b) => a.line - b.line).slice(0, LIMITS.submitRejectsKept);
  }
}
