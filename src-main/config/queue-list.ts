/** `emails,images=2,default`: the queues that a worker serves, each with its share. */
import { QueueName } from '#queue/contract/primitives';

export interface WeightedQueue {
  name: string;
  /** 1 to 100: how often it comes first, against the others. */
  weight: number;
}

/** @returns the queues, or what is wrong, as the end of a sentence */
export function parseQueueList(parts: readonly string[]): WeightedQueue[] | string {
  const queues: WeightedQueue[] = [];
  for (const part of parts) {
    const [name = '', weightText = '1', ...rest] = part.split('=').map((piece) => piece.trim());
    const checked = QueueName.safeParse(name);
    if (!checked.success) return `has "${name}", a queue name ${checked.error.issues[0]?.message}`;
    const weight = Number(weightText);
    if (rest.length > 0 || !Number.isInteger(weight) || weight < 1 || weight > 100) {
      return `has "${part}", whose weight must be a whole number from 1 to 100`;
    }
    if (queues.some((queue) => queue.name === name)) return `names "${name}" twice`;
    queues.push({ name, weight });
  }
  return queues.length === 0 ? 'must name at least one queue' : queues;
}
