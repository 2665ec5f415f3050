/** Reads, makes and revokes API keys. */
import type { BodyInputOf } from '#queue/contract/http';
import type { Routes } from '#queue/contract/http-routes';
import type { ApiClient } from '../net/api-client';
import type { KeysStore } from '../stores/keys-store.svelte';

export class KeysLoader {
  readonly #api: ApiClient;
  readonly #store: KeysStore;
  #reading = new AbortController();

  constructor(api: ApiClient, store: KeysStore) {
    this.#api = api;
    this.#store = store;
  }

  async refresh(): Promise<void> {
    this.close();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    try {
      const { keys } = await this.#api.call('listKeys', { signal });
      if (!signal.aborted) this.#store.replace(keys);
    } catch (error) {
      if (!signal.aborted) this.#store.error = error;
    }
  }

  /** @throws {ApiError} */
  async create(body: BodyInputOf<Routes['createKey']>): Promise<void> {
    this.#store.add(await this.#api.call('createKey', { body }));
  }

  /** @throws {ApiError} */
  async revoke(id: string): Promise<void> {
    await this.#api.call('deleteKey', { params: { id } });
    this.#store.remove(id);
  }

  close(): void {
    this.#reading.abort();
  }
}
