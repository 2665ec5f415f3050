/**
 * Local time. It decides local waiting only: whatever two processes compare is decided by the
 * clock of Redis, inside the scripts.
 */
export interface Clock {
  /** Wall clock, Unix ms. */
  now(): number;
  /** Never steps back; ms from an arbitrary start. For durations. */
  monotonic(): number;
  /** Resolves after `ms`, or at once when `signal` is or becomes aborted; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    }),
};
