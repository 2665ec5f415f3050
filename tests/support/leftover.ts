/**
 * Something of the machine that a test takes and that must not outlive it: a mount, a network namespace, a process. A small guard
 * undoes it when the test lets go, and also when the process of the tests is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export class Leftover implements AsyncDisposable {
  readonly #guard: ChildProcess;
  readonly #gone: Promise<unknown>;

  /** @param undo shell commands; $1 and so on are `words` */
  constructor(undo: string, words: readonly string[]) {
    this.#guard = spawn('/bin/sh', ['-c', `cat >/dev/null; ${undo}`, 'leftover', ...words], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.#guard.unref();
    this.#gone = once(this.#guard, 'exit');
  }

  /** It is gone already: nothing is undone any more. */
  forget(): void {
    this.#guard.kill('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#guard.stdin?.end();
    await this.#gone;
  }
}
