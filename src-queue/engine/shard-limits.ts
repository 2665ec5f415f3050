/** What the shards of a queue are together, and what each of them gets of its limits. Pure. */
import { sumCounts } from '../contract/queue';
import type { StateAnswer } from '../redis/scripts/state';
import type { QueueLimitsMs, QueueState } from './ports';

/** Of shard `k` from 0; the first ones get what is left over. One that gets no more tasks may start its last ones. */
function share(total: number, k: number, shards: number): number {
  if (k >= shards) return 1;
  return Math.floor(total / shards) + (k < total % shards ? 1 : 0);
}

/** The part of the divided limits that shard `k` gets. */
export function shareOf(
  { concurrency, rate, shards }: QueueLimitsMs,
  k: number,
): Pick<QueueLimitsMs, 'concurrency' | 'rate'> {
  return {
    concurrency: concurrency === null ? null : share(concurrency, k, shards),
    rate: rate === null ? null : { max: share(rate.max, k, shards), perMs: rate.perMs },
  };
}

/** @param states of all shards, in order of their numbers */
export function joinLimits(states: readonly StateAnswer[]): QueueLimitsMs {
  const [first] = states;
  if (first === undefined) throw new RangeError('a queue has one shard at least');
  const { limits } = first;
  const served = states.slice(0, limits.shards).map((one) => one.limits);
  const sum = (of: (limits: QueueLimitsMs) => number) => served.reduce((total, one) => total + of(one), 0);
  return {
    ...limits,
    concurrency: limits.concurrency === null ? null : sum((one) => one.concurrency ?? 0),
    rate: limits.rate === null ? null : { max: sum((one) => one.rate?.max ?? 0), perMs: limits.rate.perMs },
  };
}

/** @param states of all shards, in order of their numbers */
export function joinStates(name: string, states: readonly StateAnswer[]): QueueState {
  const oldest = states.flatMap(({ oldestPendingAt }) => oldestPendingAt ?? []);
  return {
    name,
    paused: states[0]?.paused ?? false,
    counts: sumCounts(states.map(({ counts }) => counts)),
    oldestPendingAt: oldest.length === 0 ? null : Math.min(...oldest),
    limits: joinLimits(states),
    now: Math.max(...states.map(({ now }) => now)),
  };
}
