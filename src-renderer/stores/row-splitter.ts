/** A file of rows, cut into its rows while it is read: it is never in memory as a whole. No I/O. */
import { LIMITS } from '#queue/contract/limits';
import { formatBytes } from '../format';

export interface RawRow {
  /** Of the file, from 1; where the row begins. */
  readonly line: number;
  readonly text: string;
  /** Of a CSV. */
  readonly cells: readonly string[];
}

export interface RowSplitter {
  /** @returns the rows that have ended */
  feed(text: string): RawRow[];
  /** @returns the last one, where no line break stands behind it */
  end(): RawRow[];
}

/** JSON Lines: one row a line; empty lines are none. */
export class LineSplitter implements RowSplitter {
  #rest = '';
  #line = 0;

  feed(text: string): RawRow[] {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > LIMITS.bodyBytes) throw tooLong(this.#line + lines.length + 1);
    return lines.flatMap((line) => this.#row(line));
  }

  end(): RawRow[] {
    const last = this.#rest;
    this.#rest = '';
    return this.#row(last);
  }

  #row(line: string): RawRow[] {
    this.#line++;
    const text = line.replace(/\r$/, '').replace(/^\uFEFF/, '');
    return text.trim() === '' ? [] : [{ line: this.#line, text, cells: [] }];
  }
}

/** RFC 4180: cells in quotes may hold commas, line breaks, and quotes as two of them. Either line end; empty lines are none. */
export class CsvSplitter implements RowSplitter {
  readonly #separator: string;
  #rest = '';
  #line = 1;

  constructor(separator = ',') {
    this.#separator = separator;
  }

  feed(text: string): RawRow[] {
    this.#rest += text;
    const rows: RawRow[] = [];
    let from = 0;
    let quoted = false;
    for (let at = 0; at < this.#rest.length; at++) {
      const char = this.#rest.charCodeAt(at);
      if (char === QUOTE) quoted = !quoted;
      else if (char === NEWLINE && !quoted) {
        rows.push(...this.#row(this.#rest.slice(from, at)));
        from = at + 1;
      }
    }
    this.#rest = this.#rest.slice(from);
    if (this.#rest.length > LIMITS.bodyBytes) throw tooLong(this.#line);
    return rows;
  }

  end(): RawRow[] {
    const last = this.#rest;
    this.#rest = '';
    return this.#row(last);
  }

  #row(written: string): RawRow[] {
    const line = this.#line;
    this.#line += written.split('\n').length;
    const text = written.replace(/\r$/, '').replace(/^\uFEFF/, '');
    return text.trim() === '' ? [] : [{ line, text, cells: this.#cells(text) }];
  }

  #cells(text: string): string[] {
    const cells: string[] = [];
    let cell = '';
    let quoted = false;
    for (let at = 0; at < text.length; at++) {
      const char = text.charAt(at);
      if (char === '"' && quoted && text.charAt(at + 1) === '"') {
        cell += '"';
        at++;
      } else if (char === '"' && (quoted || cell === '')) quoted = !quoted;
      else if (char === this.#separator && !quoted) {
        cells.push(cell);
        cell = '';
      } else cell += char;
    }
    return [...cells, cell];
  }
}

/** Of a CSV it is mostly a quote that nothing closes. */
const tooLong = (line: number) =>
  new Error(
    `The row of line ${line} does not end within ${formatBytes(LIMITS.bodyBytes)}: a line break or a quote is missing.`,
  );

const QUOTE = 0x22;
const NEWLINE = 0x0a;
