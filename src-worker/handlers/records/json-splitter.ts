/**
 * Cuts a JSON text into its records while it streams: the elements of a top-level array, or objects that follow one
 * another. Memory is bounded by the longest single record, never by the document. The splitter only finds where a
 * record ends; `JSON.parse` decides whether it is one.
 */
import { FatalError } from '../../handler';

/** Longest text of one record, UTF-16 units. */
export const MAX_RECORD_CHARS = 16 * 1024 * 1024;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

export class JsonSplitter {
  /** `start`: nothing but space so far; `array`: inside the top-level array; `values`: one after another; `done`: past the array. */
  #mode: 'start' | 'array' | 'values' | 'done' = 'start';
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** The unfinished record of earlier chunks. */
  #pending = '';
  #count = 0;
  #afterComma = false;

  /** @returns the records that end in this chunk. @throws FatalError for text that is not JSON, or a record that is too long */
  push(text: string): unknown[] {
    const found: unknown[] = [];
    let from = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (code === BACKSLASH) this.#escaped = true;
        else if (code === QUOTE) this.#inString = false;
        continue;
      }
      if (code === QUOTE) {
        this.#inString = true;
        if (this.#mode === 'start' || this.#mode === 'done') throw this.#notRecords();
      } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
        if (this.#mode === 'start') {
          this.#mode = code === OPEN_ARRAY ? 'array' : 'values';
          from = code === OPEN_ARRAY ? i + 1 : i;
        } else if (this.#mode === 'done') throw this.#notRecords();
        this.#depth++;
      } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
        this.#depth--;
        if (this.#depth === 0 && this.#mode === 'array') {
          if (code !== CLOSE_ARRAY) throw new FatalError(`the JSON array is closed with } after record ${this.#count}`);
          this.#last(text.slice(from, i), found);
          from = i + 1;
          this.#mode = 'done';
        } else if (this.#depth === 0 && this.#mode === 'values') {
          found.push(this.#take(text.slice(from, i + 1)));
          from = i + 1;
        } else if (this.#depth < 0) throw this.#notRecords();
      } else if (code === COMMA && this.#depth === 1 && this.#mode === 'array') {
        found.push(this.#take(text.slice(from, i)));
        this.#afterComma = true;
        from = i + 1;
      } else if ((this.#mode === 'start' || this.#mode === 'done') && !isSpace(code)) throw this.#notRecords();
    }
    this.#pending += text.slice(from);
    if (this.#pending.length > MAX_RECORD_CHARS)
      throw new FatalError(`record ${this.#count + 1} is longer than ${MAX_RECORD_CHARS} characters`);
    return found;
  }

  /** @throws FatalError where the text ends inside a record or inside the array */
  end(): void {
    if (this.#mode === 'array' || this.#pending.trim() !== '')
      throw new FatalError(`the JSON text ends inside record ${this.#count + 1}`);
  }

  /** The text before `]`: a record, or nothing in an empty array. */
  #last(text: string, found: unknown[]): void {
    if (this.#afterComma || (this.#pending + text).trim() !== '') found.push(this.#take(text));
    this.#pending = '';
  }

  #take(text: string): unknown {
    const whole = this.#pending + text;
    this.#pending = '';
    this.#count++;
    try {
      return JSON.parse(whole) as unknown;
    } catch (cause) {
      throw new FatalError(
        `record ${this.#count} is not valid JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    }
  }

  #notRecords(): FatalError {
    return new FatalError(
      this.#mode === 'done'
        ? 'there is more text after the end of the JSON array'
        : 'the JSON text is neither an array nor an object',
    );
  }
}
