/**
 * The only place that knows what may be made again, and what an error of Redis means. Every call to Redis is repeated
 * here with the same arguments while its outcome is unknown: scripts and commands are made so that this is harmless.
 */
import { QueueError } from '../contract/errors';
import type { Clock } from '../kernel/clock';
import { type Connection, whenReady } from './connection';

/** How a call is repeated. */
export interface Patience {
  connection: Connection;
  clock: Clock;
  /** How long a call is repeated while Redis is away, ms. */
  patienceMs: number;
}

/** Errors after which the outcome is unknown or nothing was done: the same call may be made again. */
const TRANSIENT =
  /^(LOADING|READONLY|CLUSTERDOWN|TRYAGAIN|MASTERDOWN|BUSY|NOREPLICAS|MOVED|ASK|UNBLOCKED)|isn't ready|closed|timeout|timed out|writeable|ECONN|EPIPE|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOTFOUND|Max|flushed|All sentinels|Failed to refresh|None of startup|Too many Cluster|non local key/i;

export const isTransient = (error: unknown): boolean => error instanceof Error && TRANSIENT.test(error.message);

const RETRY_DELAY_MS = 50;

/**
 * @param what names the call in an error
 * @param attempt is told whether it was made before, and its answer was lost
 * @throws {QueueError} REDIS_UNREACHABLE after `patienceMs`, and what `explain` makes of other errors, at once
 */
export async function untilKnown<T>(
  { connection, clock, patienceMs }: Patience,
  what: string,
  attempt: (repeated: boolean) => Promise<T>,
): Promise<T> {
  const deadline = clock.monotonic() + patienceMs;
  for (let repeated = false; ; repeated = true) {
    try {
      return await attempt(repeated);
    } catch (error) {
      const left = deadline - clock.monotonic();
      if (!isTransient(error) || left <= 0) throw explain(error, what);
      if (await whenReady(connection, left)) await clock.sleep(Math.min(left, RETRY_DELAY_MS));
    }
  }
}

/** An error of Redis as one of ours; `what` names the script or command. */
export function explain(error: unknown, what: string): Error {
  if (error instanceof QueueError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (message.startsWith('OOM') || message.includes('OOM command not allowed')) {
    return new QueueError('REDIS_FULL', 'Redis has reached its maxmemory: new tasks are refused until there is room', {
      cause: error,
    });
  }
  if (message.startsWith('MISCONF')) {
    return new QueueError('STORAGE', `Redis cannot write to its disk: ${message}`, { cause: error });
  }
  if (message.startsWith('WRONGTYPE')) {
    const text = `a key is of another type than Millrace made it (${what}): "millrace doctor" names it`;
    return new QueueError('STORE_DAMAGED', text, { cause: error });
  }
  if (isTransient(error))
    return new QueueError('REDIS_UNREACHABLE', `Redis did not answer (${message})`, { cause: error });
  return new Error(`${what}: ${message}`, { cause: error });
}
