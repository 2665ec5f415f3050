/** API keys as Redis keeps them: a name, a role and the SHA-256 of the key, never the key. */
import { z } from 'zod';
import { ROLES } from '../contract/http';
import type { RedisStore } from '../redis/store';

const ApiKey = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
  /** Unix ms. */
  createdAt: z.number(),
  sha256: z.string(),
});
export type ApiKey = z.infer<typeof ApiKey>;

export class ApiKeys {
  readonly #store: RedisStore;

  constructor(store: RedisStore) {
    this.#store = store;
  }

  async list(): Promise<ApiKey[]> {
    const all = await this.#store.command('list API keys', (redis) => redis.hgetall(this.#store.keys.system('keys')));
    return Object.values(all).map((text) => ApiKey.parse(JSON.parse(text)));
  }

  async add(key: ApiKey): Promise<void> {
    await this.#store.command('add API key', (redis) =>
      redis.hset(this.#store.keys.system('keys'), key.id, JSON.stringify(key)),
    );
  }

  /** @returns false for an unknown id */
  async remove(id: string): Promise<boolean> {
    return (
      (await this.#store.command('remove API key', (redis) => redis.hdel(this.#store.keys.system('keys'), id))) === 1
    );
  }
}
