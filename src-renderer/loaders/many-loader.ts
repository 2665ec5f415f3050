/**
 * Reads a file of tasks in pieces, twice: once to look through it, and once to send it in chunks, so that a file of any
 * size is never in memory. Between two pieces the page can draw.
 */
import { LIMITS } from '#queue/contract/limits';
import type { ApiClient } from '../net/api-client';
import { ApiError } from '../net/api-error';
import type { BrowserTime } from '../net/browser-time';
import { columnsFault, type RowTerms, readRow } from '../stores/many-rows';
import type { ManyStore, PreviewRow, Rejected } from '../stores/many-store.svelte';
import { CsvSplitter, LineSplitter, type RawRow } from '../stores/row-splitter';

/** Between two changes of what is shown, ms. */
const SHOW_MS = 250;
/** For how long it works before the page may draw, ms. */
const DRAW_MS = 12;
const PIECE_BYTES = 64 * 1024;

export class ManyLoader {
  readonly #api: ApiClient;
  readonly #store: ManyStore;
  readonly #time: BrowserTime;
  readonly #schemaOf: RowTerms['schemaOf'];
  #reading = new AbortController();

  constructor(api: ApiClient, store: ManyStore, time: BrowserTime, schemaOf: RowTerms['schemaOf']) {
    this.#api = api;
    this.#store = store;
    this.#time = time;
    this.#schemaOf = schemaOf;
  }

  /** Looks through the chosen file from its begin; sends nothing. */
  async look(): Promise<void> {
    this.#reading.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    const store = this.#store;
    store.restart();
    let waiting: PreviewRow[] = [];
    let shownAt = this.#time.now();
    try {
      for await (const { rows, bytes } of this.#pieces(signal)) {
        waiting.push(...rows);
        const now = this.#time.now();
        if (now - shownAt < SHOW_MS) continue;
        store.looked(waiting, bytes);
        waiting = [];
        shownAt = now;
      }
      if (signal.aborted) return;
      store.looked(waiting, store.file?.size ?? 0);
      store.phase = 'ready';
    } catch (error) {
      if (!signal.aborted) store.fail(error, this.#time.now(), null);
    }
  }

  /** Sends what has no verdict yet; one request after the other. */
  async send(): Promise<void> {
    const store = this.#store;
    if (store.busy) return;
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    store.begin(this.#time.now());
    const from = store.handled;
    let place = 0;
    let chunk: PreviewRow[] = [];
    let chars = 0;
    try {
      for await (const { rows } of this.#pieces(signal)) {
        for (const row of rows) {
          if (place++ < from) continue;
          const length = row.text.length;
          if (chunk.length > 0 && (chunk.length >= LIMITS.submitBatch || chars + length > LIMITS.submitChunkChars)) {
            if (!(await this.#sendChunk(chunk, place - 1))) return;
            chunk = [];
            chars = 0;
          }
          chunk.push(row);
          chars += length;
        }
      }
      if (signal.aborted) return;
      if (chunk.length > 0 && !(await this.#sendChunk(chunk, place))) return;
      store.end('done', this.#time.now());
    } catch (error) {
      if (!signal.aborted) store.fail(error, this.#time.now(), null);
    }
  }

  /** The request under way is waited for: what it stores is known then. */
  stop(): void {
    if (this.#store.phase === 'sending') this.#store.stopping = true;
    else this.#reading.abort();
  }

  /** @returns whether to go on */
  async #sendChunk(chunk: readonly PreviewRow[], handled: number): Promise<boolean> {
    const store = this.#store;
    if (store.stopping) {
      store.end('stopped', this.#time.now());
      return false;
    }
    const good = chunk.flatMap(({ line, text, task }) => (task === null ? [] : [{ line, text, task }]));
    try {
      if (good.length === 0) store.sent(0, [], [], handled);
      else {
        const reply = await this.#api.call('submitTasks', { body: { tasks: good.map(({ task }) => task) } });
        const rejected = reply.errors.flatMap(({ index, message }): Rejected[] => {
          const row = good[index];
          return row === undefined ? [] : [{ line: row.line, text: row.text, fault: message }];
        });
        store.sent(reply.accepted, rejected, reply.warnings ?? [], handled);
      }
      return true;
    } catch (error) {
      // Refused as a whole: nothing of it is stored. No answer, or a server's own fault: nobody knows.
      const refused = error instanceof ApiError && error.status >= 400 && error.status < 500;
      const [first, last] = [good[0]?.line ?? 0, good.at(-1)?.line ?? 0];
      store.fail(error, this.#time.now(), refused ? null : { from: first, to: last });
      return false;
    }
  }

  async *#pieces(signal: AbortSignal): AsyncGenerator<{ rows: PreviewRow[]; bytes: number }> {
    const { file, format, type, queue } = this.#store;
    if (file === null) return;
    const splitter = format === 'csv' ? new CsvSplitter() : new LineSplitter();
    const decoder = new TextDecoder('utf-8');
    const reader = file.stream().getReader();
    let columns: readonly string[] | null = format === 'csv' ? null : [];
    let bytes = 0;
    let drawnAt = this.#time.now();
    const read = (raw: RawRow[]): PreviewRow[] => {
      if (columns === null) {
        const head = raw.shift();
        if (head === undefined) return [];
        columns = head.cells.map((name) => name.trim());
        this.#store.columns = columns;
        const fault = columnsFault(columns);
        if (fault !== '') throw new ApiError(0, 'The first line does not name the columns', `${fault}.`);
      }
      const terms: RowTerms = { format, columns, type: type.trim(), queue: queue.trim(), schemaOf: this.#schemaOf };
      return raw.map((row) => {
        const result = readRow(row, terms);
        const [task, fault] = 'task' in result ? [result.task, ''] : [null, result.fault];
        return { line: row.line, text: row.text, task, fault };
      });
    };
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (signal.aborted) return;
        if (done) break;
        // A browser hands over megabytes at once.
        for (let from = 0; from < value.byteLength; from += PIECE_BYTES) {
          const piece = value.subarray(from, from + PIECE_BYTES);
          bytes += piece.byteLength;
          yield { rows: read(splitter.feed(decoder.decode(piece, { stream: true }))), bytes };
          if (this.#time.now() - drawnAt < DRAW_MS) continue;
          await new Promise<void>((go) => this.#time.after(0, go));
          if (signal.aborted) return;
          drawnAt = this.#time.now();
        }
      }
      yield { rows: read([...splitter.feed(decoder.decode()), ...splitter.end()]), bytes };
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }
}
