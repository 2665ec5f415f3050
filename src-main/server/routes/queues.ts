/** Handlers of queues. */
import { QueueError } from '#queue/contract/errors';
import type { queueRoutes } from '#queue/contract/http-queues';
import type { Queue, SetQueueLimits } from '#queue/contract/queue';
import type { QueueLimitsMs } from '#queue/engine/ports';
import type { HandlerDeps, HandlersOf } from '../handlers';
import { invalid } from '../problem';

export function createQueueHandlers({ engine, reader, fleet, auditor }: HandlerDeps): HandlersOf<typeof queueRoutes> {
  const read = async (name: string): Promise<Queue> => {
    const queue = await fleet.queue(name);
    if (queue === null) throw new QueueError('QUEUE_NOT_FOUND', `there is no queue "${name}"`);
    return queue;
  };

  return {
    async listQueues() {
      return { status: 200, body: { queues: await fleet.queues() } };
    },

    async getQueue({ params }) {
      return { status: 200, body: await read(params.queue) };
    },

    async queueTypes({ params: { queue } }) {
      const types = await fleet.types(queue);
      if (types === null) throw new QueueError('QUEUE_NOT_FOUND', `there is no queue "${queue}"`);
      return { status: 200, body: types };
    },

    async pauseQueue({ params: { queue }, caller }) {
      await engine.pause(queue);
      await auditor.record(caller, 'queue.pause', queue);
      return { status: 200, body: await read(queue) };
    },

    async resumeQueue({ params: { queue }, caller }) {
      await engine.resume(queue);
      await auditor.record(caller, 'queue.resume', queue);
      return { status: 200, body: await read(queue) };
    },

    async purgeQueue({ params: { queue }, body, caller }) {
      if (body.confirm !== queue)
        throw invalid([{ path: 'confirm', message: `must be the name of the queue, "${queue}"` }]);
      if ((await reader.queueState(queue)) === null)
        throw new QueueError('QUEUE_NOT_FOUND', `there is no queue "${queue}"`);
      const removed = await engine.purge(queue);
      await auditor.record(caller, 'queue.purge', queue, `${removed} tasks removed`);
      return { status: 200, body: { queue, removed } };
    },

    async setQueueLimits({ params: { queue }, body, caller }) {
      await engine.setLimits(queue, toLimitsMs(body));
      await auditor.record(caller, 'queue.limits', queue, JSON.stringify(body));
      return { status: 200, body: await read(queue) };
    },
  };
}

/** Absent stays absent: it is not changed. */
function toLimitsMs({
  concurrency,
  rate,
  target_age,
  aging,
  durability,
  shards,
}: SetQueueLimits): Partial<QueueLimitsMs> {
  return {
    ...(shards !== undefined && { shards: shards ?? 1 }),
    ...(concurrency !== undefined && { concurrency }),
    ...(rate !== undefined && { rate: rate === null ? null : { max: rate.max, perMs: Math.round(rate.per * 1000) } }),
    ...(durability !== undefined && { durability }),
    ...(aging !== undefined && { agingMs: aging === null ? null : Math.round(aging * 1000) }),
    ...(target_age !== undefined && { targetAgeMs: target_age === null ? null : Math.round(target_age * 1000) }),
  };
}
