/** A name for what lies in this Redis under our prefix: given once, and gone with the data. */
import { randomName } from '../kernel/ids';
import type { RedisStore } from '../redis/store';

export async function storeIdentity(store: RedisStore): Promise<string> {
  const key = store.keys.system('store');
  return store.command('name the store', async (redis) => {
    await redis.set(key, randomName('s'), 'NX');
    const name = await redis.get(key);
    if (name === null) throw new Error('the store was emptied while it was being named');
    return name;
  });
}
