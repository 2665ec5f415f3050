/** Ends a server of our own so that nothing is lost and nothing is left. To be called under the lock. */
import type { Clock } from '#queue/kernel/clock';
import { ProbeError, probe } from '#queue/redis/probe';
import type { LocalAddress } from './ask';
import { LocalRedisError } from './local-redis-error';
import { isAlive, type ProcessMark } from './process-mark';

const POLL_MS = 20;
const SHUTDOWN_MS = 15_000;
const TERM_MS = 10_000;
const KILL_MS = 5_000;

/**
 * SHUTDOWN flushes and syncs the AOF. A server that refuses or does not answer gets SIGTERM, which does the same,
 * and at last SIGKILL. Resolves when the process is gone. @throws {LocalRedisError} failed: it cannot be ended
 */
export async function shutDown(address: LocalAddress, mark: ProcessMark, clock: Clock): Promise<void> {
  try {
    await probe({ ...address, timeoutMs: SHUTDOWN_MS }, (connection) => connection.shutdown());
    if (await isGone(mark, clock, SHUTDOWN_MS)) return;
  } catch (error) {
    if (!(error instanceof ProbeError)) throw error; // it does not answer: signals are left
  }
  await endProcess(mark, clock);
}

/** SIGTERM, then SIGKILL. Resolves when the process is gone. @throws {LocalRedisError} failed */
export async function endProcess(mark: ProcessMark, clock: Clock): Promise<void> {
  for (const [signal, waitMs] of [
    ['SIGTERM', TERM_MS],
    ['SIGKILL', KILL_MS],
  ] as const) {
    if (!isAlive(mark)) return;
    try {
      process.kill(mark.pid, signal);
    } catch (error) {
      if (isAlive(mark))
        throw new LocalRedisError('failed', `process ${mark.pid} cannot be ended: ${String(error)}`, error);
    }
    if (await isGone(mark, clock, waitMs)) return;
  }
  throw new LocalRedisError('failed', `the local Redis (process ${mark.pid}) does not end`);
}

async function isGone(mark: ProcessMark, clock: Clock, waitMs: number): Promise<boolean> {
  const deadline = clock.monotonic() + waitMs;
  while (isAlive(mark)) {
    if (clock.monotonic() > deadline) return false;
    await clock.sleep(POLL_MS);
  }
  return true;
}
