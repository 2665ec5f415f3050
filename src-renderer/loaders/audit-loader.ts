/** Reads pages of the audit log. */
import type { AuditEntry } from '#queue/contract/operation';
import type { ApiClient } from '../net/api-client';
import type { AuditStore } from '../stores/audit-store.svelte';
import type { ExportSource } from './export-loader';

const PAGE_SIZE = 200;
const EXPORT_PAGE = 1000;

export class AuditLoader {
  readonly #api: ApiClient;
  readonly #store: AuditStore;
  #reading = new AbortController();

  constructor(api: ApiClient, store: AuditStore) {
    this.#api = api;
    this.#store = store;
  }

  read(): Promise<void> {
    this.#store.begin('first');
    return this.#read(null);
  }

  async more(): Promise<void> {
    const { nextCursor, loading } = this.#store;
    if (nextCursor === null || loading !== null) return;
    this.#store.begin('more');
    await this.#read(nextCursor);
  }

  stop(): void {
    this.#reading.abort();
  }

  /** The whole log, whatever is loaded. */
  exported(): ExportSource<AuditEntry> {
    return {
      what: 'audit',
      columns: (['id', 'at', 'by', 'action', 'target', 'detail'] as const).map((name) => ({
        name,
        of: (entry) => entry[name],
      })),
      page: async (cursor, signal) => {
        const { audit, next_cursor } = await this.#api.call('listAudit', {
          query: { limit: EXPORT_PAGE, cursor },
          signal,
        });
        return { rows: audit, next: next_cursor, total: null };
      },
    };
  }

  async #read(cursor: string | null): Promise<void> {
    this.#reading.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    try {
      const { audit, next_cursor } = await this.#api.call('listAudit', { query: { limit: PAGE_SIZE, cursor }, signal });
      if (!signal.aborted) this.#store.put(audit, next_cursor);
    } catch (error) {
      if (!signal.aborted) this.#store.fail(error);
    }
  }
}
