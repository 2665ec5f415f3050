/** The last lines that the processes of a pool printed: bounded, whatever they print. */

export const TAIL_LINES = 200;
export const TAIL_LINE_CHARS = 2000;

export interface TailLine {
  /** When it came, Unix ms. */
  at: number;
  workerId: string;
  line: string;
}

export class OutputTail {
  readonly #lines: TailLine[] = [];

  push({ at, workerId, line }: TailLine): void {
    const cut = line.length > TAIL_LINE_CHARS ? `${line.slice(0, TAIL_LINE_CHARS)}…` : line;
    this.#lines.push({ at, workerId, line: cut });
    if (this.#lines.length > TAIL_LINES) this.#lines.shift();
  }

  /** Oldest first. */
  get lines(): TailLine[] {
    return [...this.#lines];
  }
}

/**
 * Cuts chunks of text into lines. A line that never ends is cut after `maxChars`, so that it cannot fill the memory.
 * Call `end` after the last chunk for what is left.
 */
export class LineCutter {
  readonly #onLine: (line: string) => void;
  readonly #maxChars: number;
  #rest = '';

  constructor(onLine: (line: string) => void, maxChars = 64 * 1024) {
    this.#onLine = onLine;
    this.#maxChars = maxChars;
  }

  push(chunk: string): void {
    const pieces = (this.#rest + chunk).split('\n');
    this.#rest = pieces.pop() ?? '';
    for (const piece of pieces) this.#emit(piece);
    while (this.#rest.length >= this.#maxChars) {
      this.#emit(this.#rest.slice(0, this.#maxChars));
      this.#rest = this.#rest.slice(this.#maxChars);
    }
  }

  end(): void {
    if (this.#rest !== '') this.#emit(this.#rest);
    this.#rest = '';
  }

  #emit(line: string): void {
    this.#onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  }
}
