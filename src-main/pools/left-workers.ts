/**
 * Worker processes that run on after the app was closed with "leave the workers running", as `<data>/left-workers.json`
 * remembers them. Nobody watches them any more, so the next start asks them to finish. They are told by pid and
 * start time: a number that another program has by now is left alone.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Log } from '#queue/kernel/log';
import { isAlive, markOf, type ProcessMark } from '../local-redis/process-mark';
import { readOrNull, writePrivate } from '../local-redis/server-file';

const LeftFile = z.array(z.object({ pid: z.int().positive(), startTicks: z.string() })).max(10_000);

export class LeftWorkers {
  readonly #path: string;
  readonly #log: Log;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  remember(pids: readonly number[]): void {
    const marks = pids.map(markOf).filter((mark) => mark !== null);
    if (marks.length === 0) return;
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    writePrivate(this.#path, JSON.stringify([...this.#living(), ...marks]));
    this.#log.info('worker processes run on', { pids: marks.map(({ pid }) => pid) });
  }

  /** They finish what they run and end. */
  dismiss(): void {
    for (const { pid } of this.#living()) {
      try {
        process.kill(pid, 'SIGTERM');
        this.#log.info('a worker process of an earlier run is asked to finish', { worker_pid: pid });
      } catch (error) {
        this.#log.debug('a worker process of an earlier run has ended meanwhile', { worker_pid: pid, error });
      }
    }
    rmSync(this.#path, { force: true });
  }

  #living(): ProcessMark[] {
    const text = readOrNull(this.#path);
    if (text === null) return [];
    try {
      return LeftFile.parse(JSON.parse(text)).filter(isAlive);
    } catch {
      this.#log.warn('the list of workers of an earlier run cannot be read', { path: this.#path });
      return [];
    }
  }
}
