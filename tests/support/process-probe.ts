/**
 * Looks into a running process of the built program: what its prototypes have grown, and what its heap keeps after a
 * collection. The code for it is loaded before the program's own (NODE_OPTIONS) and answers SIGUSR2 with one file.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type MillraceProcess, waitFor } from './millrace-process';

const PROBE = `
const { writeFileSync, renameSync } = require('node:fs');
const v8 = require('node:v8');
const vm = require('node:vm');
const own = () => [Object, Array, Function, String, Number, Boolean, Map, Set, Promise, Error]
  .map(({ name, prototype }) => name + ': ' + Reflect.ownKeys(prototype).map(String).sort().join(' '));
const before = own();
v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');
process.on('SIGUSR2', () => {
  const file = process.env.PROBE_FILE;
  gc();
  gc();
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  const grown = own().filter((line, n) => line !== before[n]);
  writeFileSync(file + '.new', JSON.stringify({ grown, heldBytes: heapUsed + external, rss, arrayBuffers }));
  renameSync(file + '.new', file);
});
`;

const Look = z.object({
  /** Prototypes that have other properties than at the start. */
  grown: z.array(z.string()),
  /** Heap and buffers, after a collection. */
  heldBytes: z.number(),
  rss: z.number(),
});
export type Look = z.infer<typeof Look>;

export class ProcessProbe {
  readonly #file: string;
  /** For the process that is to be looked at. */
  readonly env: Record<string, string>;

  /** @param dir a folder of the test's own */
  constructor(dir: string) {
    const code = join(dir, 'probe.cjs');
    writeFileSync(code, PROBE);
    this.#file = join(dir, 'probe.json');
    this.env = { NODE_OPTIONS: `--require ${code}`, PROBE_FILE: this.#file };
  }

  async look(process: MillraceProcess): Promise<Look> {
    rmSync(this.#file, { force: true });
    process.signal('SIGUSR2');
    return waitFor('the probe', () =>
      existsSync(this.#file) ? Look.parse(JSON.parse(readFileSync(this.#file, 'utf8'))) : null,
    );
  }
}

/** The most memory that a process was seen with, as its kernel counts it. */
export class PeakMemory implements Disposable {
  readonly #timer: NodeJS.Timeout;
  readonly #pid: number;
  bytes: number;

  constructor(pid: number) {
    this.#pid = pid;
    this.bytes = residentBytes(pid);
    this.#timer = setInterval(() => {
      this.bytes = Math.max(this.bytes, residentBytes(this.#pid));
    }, 20);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

export function residentBytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1] ?? 0) * 1024;
}
