/** What is said of the queue that is open: how it moves, and what more slots would change. Pure. */
import type { Durability } from '#queue/contract/primitives';
import type { Queue } from '#queue/contract/queue';
import { formatNumber, formatRate } from '../../format';
import { etaWords } from '../../stores/queue-trouble';

/** A submit is answered once … */
export const DURABILITY_WORDS: Record<Durability, string> = {
  memory: 'Redis has it in memory',
  fsync: 'it is on the disk',
  replicated: 'a replica has it',
};

/** `grows by 7.9/s, does not drain` */
export function movementWords(queue: Queue): string {
  const { paused, depth, rate_in, rate_out } = queue;
  if (paused) return depth.pending === 0 ? 'paused' : `paused, ${formatNumber(depth.pending)} wait`;
  if (depth.pending === 0) return 'nothing waits';
  const grows = rate_in - rate_out;
  const { text: eta } = etaWords(queue);
  if (eta === 'steady') return 'steady: as much goes out as comes in';
  if (grows > 0) return `grows by ${formatRate(grows)}/s, does not drain`;
  return grows < 0 ? `shrinks by ${formatRate(-grows)}/s, empty in ${eta}` : 'nothing moves';
}

/**
 * Time to drain with another number of slots, if each of them got through as much as one does now.
 * @returns seconds; `never`; null where nothing runs or nothing goes out, so that nothing can be said
 */
export function drainWith(
  slots: number,
  { depth, rate_in, rate_out, running }: Pick<Queue, 'depth' | 'rate_in' | 'rate_out' | 'running'>,
): number | 'never' | null {
  if (running === 0 || rate_out === 0) return null;
  const out = (rate_out / running) * slots;
  return out <= rate_in ? 'never' : depth.pending / (out - rate_in);
}

/** The part of a name before its first delimiter: `payments.eu` belongs to `payments`. */
export const prefixOf = (name: string): string => name.split(/[._-]/)[0] ?? name;
