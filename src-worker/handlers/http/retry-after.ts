/** What an answer of 400 and above means for the task: for good, again by the back-off, or again at the time that the server names. */
import type { Clock } from '#queue/kernel/clock';
import { FatalError, RetryLater } from '../../handler';

/** Longest delay that a server may ask of us, seconds: a day. */
const MAX_DELAY_SECONDS = 86_400;

/**
 * Reads `Retry-After`: whole seconds, or an HTTP date, which is compared with the server's own `Date` where it sends
 * one, so that clocks that disagree do no harm.
 * @returns seconds from now, 0 to a day; null where the header is absent or says nothing
 */
export function retryAfterSeconds(headers: Readonly<Record<string, string>>, clock: Pick<Clock, 'now'>): number | null {
  const value = headers['retry-after']?.trim();
  if (value === undefined || value === '') return null;
  if (/^\d+(\.\d+)?$/.test(value)) return Math.min(Number(value), MAX_DELAY_SECONDS);
  const at = Date.parse(value);
  if (Number.isNaN(at)) return null;
  const theirNow = Date.parse(headers.date ?? '');
  const now = Number.isNaN(theirNow) ? clock.now() : theirNow;
  return Math.min(Math.max(0, Math.ceil((at - now) / 1000)), MAX_DELAY_SECONDS);
}

/** 429 and 5xx may pass, so they are retried, and not before the server wants it; any other 4xx is final. */
export function statusError(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>>,
  clock: Pick<Clock, 'now'>,
): Error {
  if (status !== 429 && status < 500) return new FatalError(message);
  const seconds = retryAfterSeconds(headers, clock);
  return seconds === null ? new Error(message) : new RetryLater(seconds, message);
}
