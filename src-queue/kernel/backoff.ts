export interface BackoffSpec {
  type: 'exponential' | 'fixed';
  baseMs: number;
  maxMs: number;
  /** 0 to 1: the share of the delay that is drawn by lot. 1 is "full jitter". */
  jitter: number;
}

/**
 * The delay before the next attempt, whole ms: `base * 2^(attempt-1)`, at most `max`, of which the share `jitter`
 * is drawn evenly between nothing and all of it, so that tasks which failed together do not return together.
 * Source: Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
 * @param attempt the attempt that failed, from 1
 * @param random evenly in [0, 1)
 */
export function backoffDelayMs(spec: BackoffSpec, attempt: number, random: number): number {
  const growth = spec.type === 'fixed' ? 1 : 2 ** Math.min(attempt - 1, 52);
  const full = Math.min(spec.maxMs, spec.baseMs * growth);
  return Math.round(full * (1 - spec.jitter + spec.jitter * random));
}
