/** Why a task is where it is, in words: what the engine knows, and which workers are there. Pure. */
import { isFinal } from '#queue/contract/lifecycle';
import { isoTimeOrNull } from '#queue/contract/primitives';
import type { EXPLAIN_CODES, Explanation } from '#queue/contract/task';
import type { Worker } from '#queue/contract/worker';
import type { WaitFacts } from '#queue/engine/ports';
import { servesQueue } from './fleet-view';
import type { QueueRates } from './ports';

type Code = (typeof EXPLAIN_CODES)[number];
type Reason = Explanation['reasons'][number];

/** Dependencies named one by one. */
const MAX_NAMED = 10;

const reason = (code: Code, message: string, until: number | null = null): Reason => ({
  code,
  message,
  until: isoTimeOrNull(until),
});

export function explain(facts: WaitFacts, workers: readonly Worker[], rates: QueueRates): Explanation {
  const { task, position } = facts;
  if (isFinal(task.status)) return answer(facts, [reason('final', `it is ${task.status}`)], null);
  if (task.status === 'processing') return answer(facts, running(facts), null);
  const holds = [...ownReasons(facts), ...queueReasons(facts, workers)];
  if (position !== null && position > 0)
    holds.push(reason('behind', `${position} ${position === 1 ? 'task runs' : 'tasks run'} before it`));
  if (holds.length === 0) holds.push(reason('ready', 'a worker may take it at any moment'));
  if (task.expiresAt !== null) holds.push(reason('expires', 'it fails if it has not started by then', task.expiresAt));
  return answer(facts, holds, etaSeconds(facts, holds, rates));
}

const answer = ({ task, position }: WaitFacts, reasons: Reason[], eta: number | null): Explanation => ({
  status: task.status,
  reasons,
  position,
  eta_seconds: eta,
});

function running({ task }: WaitFacts): Reason[] {
  const on = task.workerId === null ? '' : ` on worker ${task.workerId}`;
  return [
    reason('running', `attempt ${task.attempts} runs${on}`),
    ...(task.cancelRequested ? [reason('cancelling', 'a cancel was asked for; its handler has been told')] : []),
  ];
}

function ownReasons({ task, waitsFor }: WaitFacts): Reason[] {
  switch (task.status) {
    case 'scheduled':
      return [reason('scheduled', 'it is not to start before that time', task.dueAt ?? task.runAt)];
    case 'retrying':
      return [reason('retrying', `attempt ${task.attempts} failed; the next one comes after a pause`, task.dueAt)];
    case 'blocked': {
      const named = waitsFor.slice(0, MAX_NAMED).map((id) => reason('dependency', `it waits for task ${id}`));
      const more = waitsFor.length - named.length;
      return more > 0 ? [...named, reason('dependency', `it waits for ${more} more tasks`)] : named;
    }
    default:
      return [];
  }
}

function queueReasons({ task, queue, rateLimitedUntil }: WaitFacts, workers: readonly Worker[]): Reason[] {
  const reasons: Reason[] = [];
  if (queue.paused) reasons.push(reason('paused', `the queue "${queue.name}" is paused`));
  const atWork = workers.filter((worker) => worker.state === 'running' || worker.state === 'starting');
  const ofQueue = atWork.filter((worker) => servesQueue(worker, queue.name));
  if (ofQueue.length === 0)
    reasons.push(reason('no_worker_for_queue', `no live worker serves the queue "${queue.name}"`));
  else if (!ofQueue.some((worker) => worker.task_types.includes(task.type))) {
    reasons.push(
      reason('no_worker_for_type', `no live worker of the queue "${queue.name}" serves the task type "${task.type}"`),
    );
  }
  if (task.status !== 'pending') return reasons;
  if (rateLimitedUntil !== null)
    reasons.push(reason('rate_limited', 'the rate limit of its queue holds it', rateLimitedUntil));
  const { concurrency } = queue.limits;
  if (concurrency !== null && queue.counts.processing >= concurrency) {
    reasons.push(reason('concurrency', `${queue.counts.processing} tasks of its queue run, and ${concurrency} may`));
  }
  return reasons;
}

const UNKNOWN_END: readonly Code[] = ['paused', 'no_worker_for_queue', 'no_worker_for_type', 'dependency'];

/** Seconds until it should start; null where that depends on people or on other tasks. */
function etaSeconds(
  { task, queue, position, rateLimitedUntil }: WaitFacts,
  holds: readonly Reason[],
  rates: QueueRates,
): number | null {
  if (holds.some(({ code }) => UNKNOWN_END.includes(code))) return null;
  const secondsTo = (at: number | null): number => (at === null ? 0 : Math.max(0, (at - queue.now) / 1000));
  if (task.status !== 'pending') return secondsTo(task.dueAt);
  if (position === null) return null;
  if (position > 0 && rates.out === 0) return null;
  // The position is the one in its shard, and the rate that of the queue.
  return Math.max(secondsTo(rateLimitedUntil), position === 0 ? 0 : (position * queue.limits.shards) / rates.out);
}
