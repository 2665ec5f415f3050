/**
 * Pools made through the API, kept in `<data>/pools.json`. Written whole beside the old file and moved over it, so that
 * a crash leaves the old one or the new one; readable by its owner only.
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { CreatePool, PoolQueues } from '#queue/contract/worker';
import type { PoolSpec } from './worker-pool';

/** What was accepted once is read, also where a later version accepts less of it. */
const Spec = CreatePool.extend({ queues: PoolQueues });
const StoredPools = z.object({ version: z.literal(1), pools: z.array(z.object({ id: z.string(), spec: Spec })) });

export class PoolStore {
  readonly #path: string;
  /** Writes follow each other. */
  #last: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws where the file is there and cannot be read: it is not silently replaced by an empty one */
  async load(): Promise<PoolSpec[]> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    }
    let content: unknown;
    try {
      content = JSON.parse(text);
    } catch (error) {
      throw new Error(`${this.#path} is not JSON: mend or remove it`, { cause: error });
    }
    const parsed = StoredPools.safeParse(content);
    if (!parsed.success)
      throw new Error(`${this.#path} does not hold pools: mend or remove it\n${z.prettifyError(parsed.error)}`);
    return parsed.data.pools.map(({ id, spec }) => ({ id, ...spec }));
  }

  save(pools: readonly PoolSpec[]): Promise<void> {
    const stored = { version: 1, pools: pools.map(({ id, ...spec }) => ({ id, spec })) };
    const write = this.#last.then(() => this.#write(`${JSON.stringify(stored, null, 2)}\n`));
    this.#last = write.catch(() => undefined); // the caller of this save hears of it; the next one still writes
    return write;
  }

  async #write(text: string): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    const fresh = `${this.#path}.new`;
    const file = await open(fresh, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, this.#path);
  }
}
