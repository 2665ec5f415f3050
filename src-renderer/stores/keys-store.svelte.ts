/** The API keys of the server, and the one that was made last: it is told only once. Folds answers, no I/O. */
import type { ApiKey } from '#queue/contract/http-system';

export class KeysStore {
  /** Null until the first answer. */
  keys = $state.raw<readonly ApiKey[] | null>(null);
  error = $state.raw<unknown>(null);
  /** The new key in plain text, until it is put away. */
  fresh = $state.raw<{ readonly name: string; readonly key: string } | null>(null);

  replace(keys: readonly ApiKey[]): void {
    this.keys = keys;
    this.error = null;
  }

  /** @param made as answered, with the key itself */
  add({ key, ...made }: ApiKey & { key: string }): void {
    this.keys = [...(this.keys ?? []), made].sort((a, b) => a.name.localeCompare(b.name));
    this.fresh = { name: made.name, key };
  }

  remove(id: string): void {
    const gone = this.keys?.find((key) => key.id === id);
    this.keys = this.keys?.filter((key) => key.id !== id) ?? null;
    if (gone !== undefined && gone.name === this.fresh?.name) this.fresh = null;
  }
}
