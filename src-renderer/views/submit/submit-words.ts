/** What the submit screen says of a type and of a queue; only what the live stores know. */

import { EVERY_QUEUE } from '#queue/contract/primitives';
import type { Queue } from '#queue/contract/queue';
import type { TaskTypeInfo } from '#queue/contract/worker';
import { formatNumber, formatUntil } from '../../format';

/** Live workers that serve the type, and what speaks against it; empty where nothing does. */
export function servedBy(
  type: string,
  queue: string,
  info: TaskTypeInfo | undefined,
): { workers: number; warning: string } {
  const [name, where] = [type.trim(), queue.trim()];
  if (name === '') return { workers: 0, warning: '' };
  if (info === undefined || info.workers.length === 0)
    return { workers: 0, warning: 'It is accepted, and waits until a worker serves this type.' };
  const served = where === '' || info.queues.includes(where) || info.queues.includes(EVERY_QUEUE);
  return {
    workers: info.workers.length,
    warning: served ? '' : `None of them serves the queue ${where}: it waits there.`,
  };
}

/** `Goes to emails on STAGING; 64 wait there` */
export function goesTo(
  name: string,
  place: string,
  queue: Queue | undefined,
  runAt: string | null,
  now: number,
): string {
  const where = name.trim();
  if (where === '') return '';
  const start = runAt === null || runAt === '' ? '' : `, starts ${formatUntil(runAt, now)}`;
  const { paused = false, depth } = queue ?? {};
  const pending = depth?.pending ?? 0;
  const wait = paused ? '; it is paused' : pending > 0 ? `; ${formatNumber(pending)} wait there` : '';
  return `Goes to ${where} on ${place}${start}${wait}`;
}
