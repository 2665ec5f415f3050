/** How a queue fares, in words and as a rank: what an operator must look at first. Pure. */
import type { Queue } from '#queue/contract/queue';
import type { Worker } from '#queue/contract/worker';
import { formatDuration } from '../format';

export type Tone = 'plain' | 'warn' | 'bad';

/** Rates that differ by less are the same. */
const STEADY = 0.05;
/** Below this, somebody's single long task would be called a backlog. */
const BACKLOG = 10;
/** Target ages after which late becomes an emergency. */
const VERY_LATE = 5;
/** A queue from which nothing is taken for so long stands still. */
const STILL_S = 10;
const FAILING = { warn: 0.01, bad: 0.04 } as const;

export interface Troubles {
  /** Tasks wait and nobody serves it. */
  readonly unserved: boolean;
  /** It gets longer, or stands still. */
  readonly grows: boolean;
  readonly late: Tone;
  readonly failing: Tone;
  /** It is paused, and tasks wait. */
  readonly held: boolean;
  /** A worker that serves it is connected and asks for nothing. */
  readonly deaf: boolean;
}

/** By the share of attempts that fail: most tasks may be tried again, so a few are no emergency. */
export function failingTone(share: number | null): Tone {
  if (share === null || share < FAILING.warn) return 'plain';
  return share < FAILING.bad ? 'warn' : 'bad';
}

/** Without a target nobody has said what is too old. */
export function lateTone(ageSeconds: number | null, targetSeconds: number | null): Tone {
  if (ageSeconds === null || targetSeconds === null || ageSeconds <= targetSeconds) return 'plain';
  return ageSeconds > VERY_LATE * targetSeconds ? 'bad' : 'warn';
}

/** Connected, ready, with a free slot, and still it asks for no work. A blocked one is told of by itself. */
export const isDeaf = (worker: Worker): boolean =>
  worker.state === 'running' && worker.fetching === false && !worker.blocked;

/** What is left of the inflow is more than noise. */
const outpaced = ({ rate_in, rate_out }: Queue): boolean => rate_in - rate_out > STEADY * Math.max(rate_in, rate_out);
const still = ({ rate_out, running, oldest_pending_age }: Queue): boolean =>
  rate_out === 0 && running === 0 && (oldest_pending_age ?? 0) > STILL_S;

export function troublesOf(queue: Queue, workers: readonly Worker[]): Troubles {
  const { paused, limits, oldest_pending_age } = queue;
  const waits = queue.depth.pending > 0;
  const unserved = waits && !paused && queue.workers === 0;
  const drains = !waits || paused || unserved;
  return {
    unserved,
    grows: !drains && ((outpaced(queue) && queue.depth.pending >= BACKLOG) || still(queue)),
    late: paused ? 'plain' : lateTone(oldest_pending_age, limits.target_age),
    failing: queue.failed_per_hour > 0 ? failingTone(queue.failing_share) : 'plain',
    held: waits && paused,
    deaf: workers.some((worker) => isDeaf(worker) && worker.queues.some(({ name }) => name === queue.name)),
  };
}

/** Time to drain in words: a duration, `never`, `steady`, `paused`, or `–` where nothing waits. */
export function etaWords(queue: Queue): { text: string; tone: Tone } {
  const { depth, paused, rate_in, rate_out, eta_seconds, late } = queue;
  if (depth.pending === 0) return { text: '–', tone: 'plain' };
  if (paused) return { text: 'paused', tone: 'plain' };
  if (queue.workers === 0) return { text: 'never', tone: 'bad' };
  const same = Math.abs(rate_out - rate_in) <= STEADY * Math.max(rate_in, rate_out);
  if (same && !late && !still(queue)) return { text: 'steady', tone: 'plain' };
  if (eta_seconds !== null) return { text: formatDuration(eta_seconds * 1000), tone: 'plain' };
  const alarming = late || still(queue) || depth.pending >= BACKLOG;
  return { text: 'never', tone: alarming ? 'bad' : 'plain' };
}

const WEIGHTS = { plain: 0, warn: 1, bad: 3 } as const;

/** The worse, the higher; zero where all is well. */
export function troubleScore(queue: Queue, workers: readonly Worker[]): number {
  const { unserved, grows, late, failing, held, deaf } = troublesOf(queue, workers);
  return (
    (unserved ? 16 : 0) + (grows ? 8 : 0) + 2 * WEIGHTS[late] + 2 * WEIGHTS[failing] + (deaf ? 2 : 0) + (held ? 1 : 0)
  );
}

/**
 * Worst first; then by how much fails and how much waits, in powers of two so that rows do not swap places with every
 * task; then by name.
 */
export function worstFirst(queues: readonly Queue[], workers: readonly Worker[]): Queue[] {
  return queues
    .map((queue) => ({
      queue,
      score: troubleScore(queue, workers),
      failing: Math.floor(Math.log2(queue.failed_per_hour + 1)),
      size: Math.floor(Math.log2(queue.depth.pending + queue.depth.retrying + 1)),
    }))
    .sort(
      (a, b) =>
        b.score - a.score || b.failing - a.failing || b.size - a.size || a.queue.name.localeCompare(b.queue.name),
    )
    .map(({ queue }) => queue);
}
