/** No request waits for a Redis that is gone: slow work may go on, but only while Redis answers. */
import { QueueError } from '#queue/contract/errors';
import type { Clock } from '#queue/kernel/clock';
import type { RedisProbe } from './ports';

const PATIENCE_MS = 1000;
const PING_MS = 400;
/** A reason spares the runtime an exception with its stack, for every request. */
const SETTLED = 'settled';

/**
 * `work`, as long as Redis answers a ping whenever a second has gone by without a result.
 * @throws {QueueError} REDIS_UNREACHABLE within 1.4 s; whether the work was done is then unknown
 */
export async function whileRedisAnswers<T>(
  work: Promise<T>,
  { redis, clock }: { redis: RedisProbe; clock: Clock },
): Promise<T> {
  const settled = new AbortController();
  const watch = async (): Promise<T> => {
    for (;;) {
      await clock.sleep(PATIENCE_MS, settled.signal);
      if (settled.signal.aborted) return work;
      if (!(await answers(redis, clock)))
        throw new QueueError(
          'REDIS_UNREACHABLE',
          'Redis does not answer; the request may or may not have been carried out',
        );
    }
  };
  const watching = watch();
  watching.catch(() => undefined); // the race below tells of it; later failures concern nobody
  try {
    return await Promise.race([work, watching]);
  } finally {
    settled.abort(SETTLED);
    work.catch(() => undefined);
  }
}

/** Whether Redis answers within 0.4 s. */
export async function answers(redis: RedisProbe, clock: Clock): Promise<boolean> {
  const answered = new AbortController();
  try {
    return await Promise.race([
      redis.ping().then(
        () => true,
        () => false,
      ),
      clock.sleep(PING_MS, answered.signal).then(() => false),
    ]);
  } finally {
    answered.abort(SETTLED);
  }
}
