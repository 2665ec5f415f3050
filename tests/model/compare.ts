/** Whether a store is what the model says. */
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { RedisStore } from '#queue/redis/store';
import { decodeRecord } from '#queue/redis/task-record';
import { PLACES, readQueue, violations } from '../support/queue-snapshot';
import { inOrderOfEnd, QUEUE, scoreOf } from './model-task';
import type { QueueModel } from './queue-model';

/** As `toEqual`, whose words are worth their cost only where there is a difference. */
function same(found: unknown, wanted: unknown, what = ''): void {
  if (!isDeepStrictEqual(found, wanted)) expect(found, what).toEqual(wanted);
}

/** The whole store is what the model says, and keeps every rule of its own. @returns whether a worker is woken */
export async function compare(model: QueueModel, store: RedisStore): Promise<boolean> {
  const queue = await store.command('read it all', (redis) => readQueue(redis, store.keys, QUEUE));
  same(violations(queue), []);
  const found: Record<string, unknown> = {};
  for (const place of PLACES)
    for (const [id, score] of queue.sets[place]) {
      const record = decodeRecord(queue.records.get(id) ?? '');
      const line = queue.active.get(id);
      found[id] = {
        place,
        priority: record.priority,
        most: record.maxAttempts,
        payload: record.payload,
        ...(queue.logs.has(id) && { logs: queue.logs.get(id) }),
        ...(place === 'completed' ? {} : { attempts: record.attemptsEnded }),
        ...(place === 'pending' || place === 'parked' || place === 'scheduled' || place === 'retrying'
          ? { score }
          : {}),
        ...(place === 'blocked' && { waits: queue.waits.get(id)?.toSorted() }),
        ...(line && { run: [line.token, line.workerId, line.attempt, line.cancelRequested, score] }),
        ...(queue.progress[id] !== undefined && { percent: Number.parseInt(queue.progress[id], 10) }),
      };
    }
  const wanted: Record<string, unknown> = {};
  for (const task of model.tasks.values()) {
    const { place, run } = task;
    wanted[task.id] = {
      place,
      priority: 10 - task.band,
      most: task.most,
      payload: task.payload,
      ...(task.logs > 0 && { logs: task.logs }),
      ...(place === 'completed' ? {} : { attempts: task.attempts }),
      ...(place === 'pending' || place === 'parked' ? { score: scoreOf(task) } : {}),
      ...(place === 'scheduled' || place === 'retrying' ? { score: task.dueAt } : {}),
      ...(place === 'blocked' && { waits: [...task.waits].toSorted() }),
      ...(run && { run: [run.token, run.workerId, run.attempt, run.cancelAsked, run.until] }),
      ...(run && run.percent !== null && { percent: run.percent }),
    };
  }
  same(found, wanted);
  if (model.mustWake) expect(queue.awake, 'a worker is woken').toBe(true);
  for (const [id, { dependants }] of model.tasks)
    same(queue.dependants.get(id)?.toSorted() ?? [], [...dependants].toSorted(), `dependants of ${id}`);
  same(
    queue.outbox,
    model.outbox.map(({ parent, completed }) => `${parent}|${completed ? 'C' : 'X'}`),
  );
  for (const place of ['completed', 'failed', 'cancelled'] as const) {
    const scores = [...queue.sets[place].values()];
    same(new Set(scores).size, scores.length, `scores of ${place} are unique`);
    same(
      [...queue.sets[place].keys()],
      model
        .in(place)
        .sort(inOrderOfEnd)
        .map(({ id }) => id),
    );
  }
  if (queue.meta.mono !== undefined)
    same(
      ['mono', 'epoch', 'seq'].map((field) => Number(queue.meta[field] ?? 0)),
      [model.clock.mono, model.epoch, model.seq],
    );
  return queue.awake;
}
