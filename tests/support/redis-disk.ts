/**
 * The disk beneath a redis-server in the hands of a test: its syncs are as slow as it is told, and power can be lost, which
 * leaves of the append-only file what had been synced and nothing else. See shims/fsync.c.
 */
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RedisServer } from './redis-server';
import { buildShim } from './shim';

export class RedisDisk implements Disposable {
  readonly #dir = mkdtempSync(join(tmpdir(), 'millrace-disk-'));
  readonly #told = join(this.#dir, 'slower');
  readonly #synced = join(this.#dir, 'synced');
  readonly #file = openSync(this.#told, 'w+');

  constructor() {
    this.slower(0);
  }

  /** For the redis-server whose disk this is to be. */
  get env(): Record<string, string> {
    return {
      LD_PRELOAD: buildShim('fsync'),
      MILLRACE_TEST_DISK: this.#told,
      MILLRACE_TEST_SYNCED: this.#synced,
    };
  }

  /** Each sync that begins from now on takes this much longer. */
  slower(ms: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(ms * 1000));
    writeSync(this.#file, bytes, 0, 8, 0);
  }

  /**
   * Call it once the server was killed: what it had written and not synced is gone.
   * @returns how many bytes that were
   */
  losePower(redis: RedisServer): number {
    const lengths = new Map<string, number>();
    for (const line of readFileSync(this.#synced, 'utf8').trim().split('\n')) {
      const space = line.indexOf(' ');
      lengths.set(line.slice(space + 1), Number(line.slice(0, space)));
    }
    let gone = 0;
    for (const path of appendOnlyFiles(redis)) {
      const synced = lengths.get(path) ?? 0;
      gone += statSync(path).size - synced;
      truncateSync(path, synced);
    }
    return gone;
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** The files that grow with each write, oldest first; the base that a rewrite makes is synced as a whole. */
export function appendOnlyFiles({ dir }: Pick<RedisServer, 'dir'>): string[] {
  const folder = join(dir, 'appendonlydir');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.incr.aof'))
    .sort()
    .map((name) => join(folder, name));
}
