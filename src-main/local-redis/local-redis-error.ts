/**
 * What can go wrong with a redis-server of our own. The message is for the user, and says how to mend it.
 * not_found: no usable server program; too_old: only programs below version 7; corrupt: it refuses its own data;
 * failed: it ended before it was ready, or the directory cannot be used; busy: another process holds the directory.
 */
export type LocalRedisCode = 'not_found' | 'too_old' | 'corrupt' | 'failed' | 'busy';

export class LocalRedisError extends Error {
  override readonly name = 'LocalRedisError';
  readonly code: LocalRedisCode;
  constructor(code: LocalRedisCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
