/** Reads everything that matches, page by page, and saves it as one file; can be stopped, and then saves nothing. */
import { LIMITS } from '#queue/contract/limits';
import type { BrowserTime } from '../net/browser-time';
import type { ExportStore } from '../stores/export-store.svelte';
import {
  type ExportColumn,
  type ExportFormat,
  exportHead,
  exportName,
  exportRows,
  MEDIA_TYPES,
} from '../stores/export-text';

export interface ExportSource<Row> {
  /** Begin of the file's name. */
  readonly what: string;
  readonly columns: readonly ExportColumn<Row>[];
  readonly page: (
    cursor: string | null,
    signal: AbortSignal,
  ) => Promise<{ rows: readonly Row[]; next: string | null; total: number | null }>;
}

export type SaveFile = (name: string, mediaType: string, parts: readonly string[]) => void;

export class ExportLoader {
  readonly #store: ExportStore;
  readonly #time: BrowserTime;
  readonly #save: SaveFile;
  #reading = new AbortController();

  constructor(store: ExportStore, time: BrowserTime, save: SaveFile) {
    this.#store = store;
    this.#time = time;
    this.#save = save;
  }

  /** @returns what was saved, and whether there was more; null where it was stopped. @throws {ApiError} */
  async run<Row>(
    { what, columns, page }: ExportSource<Row>,
    format: ExportFormat,
  ): Promise<{ name: string; rows: number; complete: boolean } | null> {
    if (this.#store.running) return null;
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    this.#store.begin();
    try {
      const parts = [exportHead(format, columns)];
      let cursor: string | null = null;
      let count = 0;
      do {
        const { rows, next, total } = await page(cursor, signal);
        if (signal.aborted) return null;
        const taken = rows.slice(0, LIMITS.exportRows - count);
        parts.push(exportRows(format, columns, taken));
        count += taken.length;
        this.#store.add(taken.length, total);
        cursor = next;
      } while (cursor !== null && count < LIMITS.exportRows);
      const name = exportName(what, format, this.#time.now());
      this.#save(name, MEDIA_TYPES[format], parts);
      return { name, rows: count, complete: cursor === null };
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    } finally {
      this.#store.end();
    }
  }

  stop(): void {
    this.#reading.abort();
  }
}
