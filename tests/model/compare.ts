/** Whether a store is what the model says. */
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { handedEntry } from '#queue/redis/scripts/work';
import type { RedisStore } from '#queue/redis/store';
import { decodeHistory, decodeRecord } from '#queue/redis/task-record';
import { PLACES, type QueueSnapshot, readQueue, violations } from '../support/queue-snapshot';
import { inOrderOfEnd, QUEUE, scoreOf } from './model-task';
import type { QueueModel } from './queue-model';
import { eventLine } from './queue-state';

/** As `toEqual`, whose words are worth their cost only where there is a difference. */
function same(found: unknown, wanted: unknown, what = ''): void {
  if (!isDeepStrictEqual(found, wanted)) expect(found, what).toEqual(wanted);
}

/**
 * The whole store is what the model says, and keeps every rule of its own.
 * @param seen entries of the stream before the call
 */
export async function compare(
  model: QueueModel,
  store: RedisStore,
  seen: number,
): Promise<{ awake: boolean; events: number }> {
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
        name: record.name,
        tags: record.tags,
        history: decodeHistory(queue.histories.get(id) ?? '').map(({ kind, token }) => `${kind} ${token}`),
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
      name: task.name,
      tags: task.tags,
      history: task.history,
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
  if (model.mustWake) same(queue.awake, true, 'a worker is woken');
  else if (!model.mayWake) same(queue.awake, false, 'nobody is woken for nothing');
  const told = queue.events.slice(seen).flatMap(({ changes }) => changes);
  same(
    told
      .map(({ event, id, attempts, workerId, progress }) =>
        eventLine({ event, id, attempts, worker: workerId, percent: progress }),
      )
      .sort(),
    model.told.toSorted(),
    'what the stream tells',
  );
  same(queue.served, model.served, 'who runs which types');
  compareStandby(model, queue);
  const groups = [...model.groups].map(([key, { first, last, type, title }]) => [
    key,
    `${first}|${last}|${type}|${title}`,
  ]);
  same({ ...queue.groups }, Object.fromEntries(groups), 'groups of the dead-letter queue');
  same(
    [...queue.idempotent].map(([key, known]) => `${key} ${known}`).sort(),
    [...model.idempotent]
      .filter(([, { until }]) => until >= model.clock.wall())
      .map(([key, { id, hash }]) => `${key} ${id}|${hash}`)
      .sort(),
    'idempotency keys',
  );
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
      ['mono', 'epoch', 'seq', 'cap'].map((field) => Number(queue.meta[field] ?? (field === 'cap' ? 2500 : 0))),
      [model.clock.mono, model.epoch, model.seq, model.clock.cap],
    );
  return { awake: queue.awake, events: queue.events.length };
}

function compareStandby({ standby, clock }: QueueModel, queue: QueueSnapshot): void {
  same(queue.standby, new Map([...standby.standing].map(([line, { until }]) => [line, until])), 'who stands by');
  same(queue.handing, standby.handing, 'to whom something was handed');
  const wanted = [...standby.inboxes.keys()].map((worker) => [worker, standby.inbox(worker, clock.wall())] as const);
  const found = new Map([...queue.inboxes].map(([worker, entries]) => [worker, entries.map(handedEntry)]));
  same(
    new Map([...found].map(([worker, entries]) => [worker, entries.map(({ id, token }) => ({ id, token }))])),
    new Map(wanted.filter(([, entries]) => entries.length > 0)),
    'what was handed over',
  );
}
