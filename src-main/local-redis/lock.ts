/**
 * One process at a time may start or stop the server of a directory.
 *
 * A lock file alone cannot say this: two processes that both find the file of a dead owner both take it over. Here
 * everyone puts down a claim first and looks at the others' second, so of two that come at the same moment at least
 * one sees the other, and gives way; nobody ever takes over a file, because a dead process's claim counts for nothing.
 */
import type { Clock } from '#queue/kernel/clock';
import { claim, livingClaims } from './claims';
import { LocalRedisError } from './local-redis-error';

export interface LockOptions {
  clock: Clock;
  /** Evenly in [0, 1): processes that gave way do not return together. */
  random: () => number;
  /** How long to wait for the holder, ms. */
  waitMs: number;
  signal?: AbortSignal;
}

const RETRY_MS = 25;

/** Runs `work` while no other process (and no other call in this one) does under the same folder. @throws {LocalRedisError} busy */
export async function withLock<T>(folder: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const { clock, random, waitMs, signal } = options;
  const deadline = clock.monotonic() + waitMs;
  for (;;) {
    if (livingClaims(folder).length === 0) {
      const own = claim(folder);
      try {
        if (own.others().length === 0) return await work();
      } finally {
        own.withdraw();
      }
    }
    const holder = livingClaims(folder)[0];
    if (signal?.aborted) throw new LocalRedisError('busy', 'stopped while waiting for the local Redis');
    if (holder && clock.monotonic() > deadline) {
      throw new LocalRedisError(
        'busy',
        `process ${holder.pid} has been starting or stopping the local Redis for ${Math.round(waitMs / 1000)} s: end it and try again (it claims ${folder})`,
      );
    }
    await clock.sleep(RETRY_MS * (1 + random()), signal);
  }
}
