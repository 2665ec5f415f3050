/** When the API may be open: only as long as both it and its Redis are on this machine. */
import { QueueError } from '#queue/contract/errors';
import { isLoopbackHost } from '#queue/kernel/loopback';

/**
 * To be called before anything is bound.
 * @param tokens how many tokens and keys there are
 * @returns whether callers need a token: where one must be given, and where one was configured though none must
 * @throws {QueueError} UNAUTHENTICATED where one is required and there is none; the message says what to do
 */
export function requireTokenOrRefuse(bind: string, redisIsLoopback: boolean, tokens: number): { required: boolean } {
  const reasons = [
    ...(isLoopbackHost(bind) ? [] : [`it listens on ${bind}, beyond this machine`]),
    ...(redisIsLoopback ? [] : ['its Redis is on another machine']),
  ];
  if (reasons.length > 0 && tokens === 0) {
    throw new QueueError(
      'UNAUTHENTICATED',
      `The API needs a token because ${reasons.join(' and ')}: give --token or MILLRACE_TOKEN, or make a key in the app.`,
    );
  }
  return { required: reasons.length > 0 };
}
