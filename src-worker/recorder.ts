/** What one attempt has to say and has not sent yet: its newest progress, and its log lines, within their bounds. */
import { LIMITS } from '#queue/contract/limits';
import type { LogLevel } from '#queue/contract/task';
import type { AttemptReport, ClaimedTask, LeaseRef } from '#queue/engine/ports';
import type { Clock } from '#queue/kernel/clock';
import { describeThrown } from './error-report';
import { safeText } from './safe-text';

type LogEntry = AttemptReport['logs'][number];

export class Recorder {
  readonly lease: LeaseRef;
  readonly queue: string;
  readonly #attempt: number;
  readonly #clock: Clock;
  readonly #onNews: (recorder: Recorder) => void;
  #percent = 0;
  #message: string | null = null;
  #hasProgress = false;
  #told = false;
  /** Null while there are none: most tasks log nothing. */
  #logs: LogEntry[] | null = null;
  #onTheWay: AttemptReport | null = null;
  #closed = false;

  constructor(task: ClaimedTask, clock: Clock, onNews: (recorder: Recorder) => void) {
    this.lease = { id: task.id, token: task.token };
    this.queue = task.queue;
    this.#attempt = task.attempt;
    this.#clock = clock;
    this.#onNews = onNews;
  }

  /** 0 to 100, the highest reported so far. */
  get percent(): number {
    return this.#percent;
  }
  /** What the handler said last. */
  get message(): string | null {
    return this.#message;
  }
  /** Whether the handler has ever reported progress. */
  get told(): boolean {
    return this.#told;
  }
  get hasNews(): boolean {
    return this.#hasProgress || this.#logs !== null;
  }
  get isBeingSent(): boolean {
    return this.#onTheWay !== null;
  }

  /** Clamps to 0..100 and never goes back. @throws TypeError for what is not a number */
  progress(percent: number, message?: string): void {
    if (typeof percent !== 'number' || Number.isNaN(percent))
      throw new TypeError('progress must be a number from 0 to 100');
    if (this.#closed) return;
    this.#percent = Math.max(this.#percent, Math.min(100, Math.max(0, percent)));
    if (message !== undefined) this.#message = safeText(String(message), LIMITS.progressMessageLength);
    this.#hasProgress = true;
    this.#told = true;
    this.#onNews(this);
  }

  log(level: LogLevel, message: string, fields?: Record<string, unknown>): void {
    if (this.#closed) return;
    const text = fields === undefined ? String(message) : `${String(message)} ${fieldsText(fields)}`;
    this.#add({ at: this.#clock.now(), level, message: safeText(text, LIMITS.logLineLength), attempt: this.#attempt });
    this.#onNews(this);
  }

  close(): void {
    this.#closed = true;
  }

  /** Everything new, to be sent now; then say `sent` or `putBack`. */
  take(): AttemptReport {
    const progress = this.#hasProgress ? { percent: this.#percent, message: this.#message } : null;
    this.#onTheWay = { ...this.lease, progress, logs: this.#logs ?? [] };
    this.#hasProgress = false;
    this.#logs = null;
    return this.#onTheWay;
  }

  sent(): void {
    this.#onTheWay = null;
  }

  putBack(): void {
    if (this.#onTheWay === null) return;
    this.#hasProgress ||= this.#onTheWay.progress !== null;
    const newer = this.#logs ?? [];
    this.#logs = this.#onTheWay.logs.length > 0 ? [...this.#onTheWay.logs] : null;
    for (const entry of newer) this.#add(entry);
    this.#onTheWay = null;
  }

  /** The newest lines are kept, as in the engine. */
  #add(entry: LogEntry): void {
    this.#logs ??= [];
    this.#logs.push(entry);
    if (this.#logs.length > LIMITS.logLines) this.#logs.splice(0, this.#logs.length - LIMITS.logLines);
  }
}

function fieldsText(fields: Record<string, unknown>): string {
  try {
    return JSON.stringify(fields, (_, value: unknown) => {
      if (value instanceof Error) return describeThrown(value).message;
      return typeof value === 'bigint' ? String(value) : value;
    });
  } catch (error) {
    return `(fields that cannot be written: ${describeThrown(error).message})`;
  }
}
