/** The wall clock of one process in the hands of a test: standing, stepped, or shifted. See shims/clock.c. */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildShim } from './shim';

const STANDS = 0;
const SHIFT = 8;

export class ShiftedClock implements Disposable {
  readonly #dir = mkdtempSync(join(tmpdir(), 'millrace-clock-'));
  readonly #path = join(this.#dir, 'clock');
  readonly #file = openSync(this.#path, 'w+');
  #nowMs = 0;

  constructor() {
    this.shift(0);
  }

  /** For the process whose clock this is to be. */
  get env(): Record<string, string> {
    return { LD_PRELOAD: buildShim('clock'), MILLRACE_TEST_CLOCK: this.#path };
  }

  /** Where it stands, Unix ms; 0 where it runs. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** It stands at this time until it is told another. */
  stand(atMs: number): void {
    this.#nowMs = atMs;
    this.#write(atMs * 1000, STANDS);
  }

  /** It runs, this much before or after real time. */
  shift(byMs: number): void {
    this.#nowMs = 0;
    this.#write(byMs * 1000, SHIFT);
    this.#write(0, STANDS);
  }

  #write(microseconds: number, at: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(microseconds));
    writeSync(this.#file, bytes, 0, 8, at);
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
