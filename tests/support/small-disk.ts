/** A small file system of its own that a test can fill: ext4 on a loop device, or a bounded tmpfs where there are none. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Leftover } from './leftover';

const SIZE = 16 * 2 ** 20;

export class SmallDisk implements AsyncDisposable {
  readonly kind: 'ext4' | 'tmpfs';
  /** Where it is mounted. */
  readonly path: string;
  readonly #mount: Leftover;

  private constructor(kind: 'ext4' | 'tmpfs', path: string, mount: Leftover) {
    this.kind = kind;
    this.path = path;
    this.#mount = mount;
  }

  /** @returns null, and says why, where this machine lets nobody mount */
  static async mount(): Promise<SmallDisk | null> {
    const reasons: string[] = [];
    for (const kind of ['ext4', 'tmpfs'] as const) {
      const dir = mkdtempSync(join(tmpdir(), 'millrace-small-disk-'));
      const path = join(dir, 'mounted');
      mkdirSync(path);
      // Whoever still has a file open there is no reason to leave it: it goes with the last of them.
      const mount = new Leftover('umount "$1" || umount -l "$1"; rm -rf "$2"', [path, dir]);
      try {
        if (kind === 'ext4') mountImage(join(dir, 'image'), path);
        else run('mount', '-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', path);
        return new SmallDisk(kind, path, mount);
      } catch (error) {
        reasons.push(`${kind}: ${error instanceof Error ? error.message.trim() : error}`);
        await mount[Symbol.asyncDispose]();
      }
    }
    console.warn(`no small disk can be mounted here, so none is filled:\n${reasons.join('\n')}`);
    return null;
  }

  /** Until nothing more can be written. */
  fill(): void {
    const file = openSync(this.#filler, 'a');
    try {
      for (let size = 2 ** 20; size >= 1; ) {
        try {
          if (writeSync(file, Buffer.alloc(size)) < size) size = Math.floor(size / 2);
        } catch {
          size = Math.floor(size / 2); // ENOSPC: what is left is smaller
        }
      }
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(this.#filler);
  }

  get #filler(): string {
    return join(this.path, 'filler');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#mount[Symbol.asyncDispose]();
  }
}

function mountImage(image: string, path: string): void {
  writeFileSync(image, '');
  truncateSync(image, SIZE);
  run('mkfs.ext4', '-q', '-m', '0', image);
  run('mount', '-o', 'loop', image, path);
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
