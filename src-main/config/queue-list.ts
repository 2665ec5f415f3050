/** `emails=5,images=2,*`: the queues that a worker serves, each with its share; 1 where none is given. `*`: all others. */
import { QueueWeight } from '#worker/config';

/** @returns the queues, or what is wrong, as the end of a sentence */
export function parseQueueList(parts: readonly string[]): QueueWeight[] | string {
  const queues: QueueWeight[] = [];
  for (const part of parts) {
    const [name = '', weight = '1', ...rest] = part.split('=').map((piece) => piece.trim());
    const checked = QueueWeight.safeParse({ name, weight: /^\d+$/.test(weight) ? Number(weight) : Number.NaN });
    const nameFault = checked.error?.issues.find(({ path }) => path[0] === 'name');
    if (nameFault !== undefined) return `has "${name}", a queue name ${nameFault.message}`;
    if (!checked.success || rest.length > 0) {
      return `has "${part}", whose weight must be a whole number from 1 to 100`;
    }
    if (queues.some((queue) => queue.name === name)) return `names "${name}" twice`;
    queues.push(checked.data);
  }
  return queues.length === 0 ? 'must name at least one queue' : queues;
}
