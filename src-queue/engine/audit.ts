/** Who did what: a stream that is only added to, trimmed to its newest entries. */
import { QueueError } from '../contract/errors';
import type { AuditEntry } from '../contract/operation';
import { isoTime } from '../contract/primitives';
import type { RedisStore } from '../redis/store';

const ENTRIES = 10_000;
const ENTRY_ID = /^\d+-\d+$/;

export class Audit {
  readonly #store: RedisStore;

  constructor(store: RedisStore) {
    this.#store = store;
  }

  async append({
    by,
    action,
    target,
    detail,
  }: {
    by: string;
    action: string;
    target: string;
    detail: string | null;
  }): Promise<void> {
    const key = this.#store.keys.system('audit');
    const fields = ['by', by, 'action', action, 'target', target, ...(detail === null ? [] : ['detail', detail])];
    await this.#store.command('audit', (redis) => redis.xadd(key, 'MAXLEN', '~', ENTRIES, '*', ...fields));
  }

  /** Newest first. @throws {QueueError} INVALID for a cursor that it did not make */
  async list({
    limit,
    cursor,
  }: {
    limit: number;
    cursor: string | null;
  }): Promise<{ entries: AuditEntry[]; nextCursor: string | null }> {
    if (cursor !== null && !ENTRY_ID.test(cursor)) {
      const message = 'is not a cursor that this server gave out';
      throw new QueueError('INVALID', `cursor ${message}`, { fields: [{ path: 'cursor', message }] });
    }
    const key = this.#store.keys.system('audit');
    const from = cursor === null ? '+' : `(${cursor}`;
    const found = await this.#store.command('read audit', (redis) => redis.xrevrange(key, from, '-', 'COUNT', limit));
    const entries = found.map(([id, fields]) => {
      const field = (name: string): string | undefined => {
        const at = fields.findIndex((text, index) => index % 2 === 0 && text === name);
        return at === -1 ? undefined : fields[at + 1];
      };
      return {
        id,
        at: isoTime(Number(id.slice(0, id.indexOf('-')))),
        by: field('by') ?? '',
        action: field('action') ?? '',
        target: field('target') ?? '',
        detail: field('detail') ?? null,
      };
    });
    return { entries, nextCursor: entries.length === limit ? (entries.at(-1)?.id ?? null) : null };
  }
}
