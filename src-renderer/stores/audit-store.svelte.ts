/** What people did: the entries that are read, narrowed by words. Folds answers, no I/O. */
import type { AuditEntry } from '#queue/contract/operation';

export function shownEntries(entries: readonly AuditEntry[], text: string): readonly AuditEntry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return entries;
  return entries.filter(({ by, action, target, detail }) => {
    const all = `${by}\n${action}\n${target}\n${detail ?? ''}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/** `filter {"status":"failed"}` as it is asked for in a query: `status:failed`; `code` where it is such. */
export function detailWords(detail: string | null): { text: string; code: boolean } {
  const plain = { text: detail ?? '', code: false };
  const begin = detail?.indexOf('{') ?? -1;
  if (detail === null || begin < 0 || !detail.endsWith('}')) return plain;
  try {
    const values: unknown = JSON.parse(detail.slice(begin));
    if (typeof values !== 'object' || values === null) return plain;
    const word = (value: unknown): string =>
      value === null ? 'none' : typeof value === 'string' ? value : JSON.stringify(value);
    return {
      text: Object.entries(values)
        .map(([key, value]) => `${key}:${word(value)}`)
        .join(' '),
      code: true,
    };
  } catch {
    return plain; // cut, or no JSON
  }
}

export class AuditStore {
  /** Newest first. */
  entries = $state.raw<readonly AuditEntry[]>([]);
  nextCursor = $state<string | null>(null);
  loading = $state<'first' | 'more' | null>(null);
  loaded = $state(false);
  error = $state.raw<unknown>(null);

  begin(loading: 'first' | 'more'): void {
    this.loading = loading;
    this.error = null;
  }

  /** Of `more`, behind what is read; else in its place. */
  put(entries: readonly AuditEntry[], nextCursor: string | null): void {
    if (this.loading === 'more') {
      const known = new Set(this.entries.map(({ id }) => id));
      this.entries = [...this.entries, ...entries.filter(({ id }) => !known.has(id))];
    } else this.entries = entries;
    this.nextCursor = nextCursor;
    this.loading = null;
    this.loaded = true;
  }

  fail(error: unknown): void {
    this.loading = null;
    this.error = error;
  }
}
