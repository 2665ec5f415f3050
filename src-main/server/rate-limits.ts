/** How often one caller may call. Counted in memory, so each server process counts for itself. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { QueueError } from '#queue/contract/errors';
import type { RateLimitSettings } from './settings';

const WINDOW_SECONDS = 10;
const FAILED_WINDOW_SECONDS = 60;

export class RateLimits {
  readonly #byAddress: RateLimiterMemory;
  readonly #byKey: RateLimiterMemory;
  readonly #failedTokens: RateLimiterMemory;

  constructor({ perAddress, perKey, failedTokens }: RateLimitSettings) {
    this.#byAddress = new RateLimiterMemory({ points: perAddress, duration: WINDOW_SECONDS });
    this.#byKey = new RateLimiterMemory({ points: perKey, duration: WINDOW_SECONDS });
    this.#failedTokens = new RateLimiterMemory({ points: failedTokens, duration: FAILED_WINDOW_SECONDS });
  }

  /** @throws {QueueError} TOO_MANY_REQUESTS, with `retry_after` seconds; so for the others */
  request(address: string): Promise<void> {
    return consume(this.#byAddress, address, 1);
  }

  keyRequest(name: string): Promise<void> {
    return consume(this.#byKey, name, 1);
  }

  /** Before a token is looked at: whether this address has guessed too often. */
  mayTryToken(address: string): Promise<void> {
    return consume(this.#failedTokens, address, 0);
  }

  tokenFailed(address: string): Promise<void> {
    return consume(this.#failedTokens, address, 1);
  }
}

async function consume(limiter: RateLimiterMemory, key: string, points: number): Promise<void> {
  const refused = await (points === 0 ? exhausted(limiter, key) : tryConsume(limiter, key, points));
  if (refused === null) return;
  const seconds = Math.max(1, Math.ceil(refused.msBeforeNext / 1000));
  throw new QueueError('TOO_MANY_REQUESTS', `too many requests; try again in ${seconds} s`, {
    extra: { retry_after: seconds },
  });
}

async function tryConsume(limiter: RateLimiterMemory, key: string, points: number): Promise<RateLimiterRes | null> {
  try {
    await limiter.consume(key, points);
    return null;
  } catch (error) {
    if (error instanceof RateLimiterRes) return error;
    throw error;
  }
}

async function exhausted(limiter: RateLimiterMemory, key: string): Promise<RateLimiterRes | null> {
  const state = await limiter.get(key);
  return state !== null && state.consumedPoints >= limiter.points ? state : null;
}
