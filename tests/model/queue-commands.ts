/**
 * The calls that a model test makes up: each is made of the real scripts and of the model, and then the whole store is
 * held against the model. What a call needs (an id, a token) is drawn by number from everything there has ever been: so
 * zombies, repeats and late answers come about by themselves.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Settle, WorkCall } from '#queue/redis/calls';
import { cancel } from '#queue/redis/scripts/cancel';
import { configure } from '#queue/redis/scripts/configure';
import { extend } from '#queue/redis/scripts/extend';
import { prune } from '#queue/redis/scripts/prune';
import { remove } from '#queue/redis/scripts/remove';
import { requeue } from '#queue/redis/scripts/requeue';
import { serve } from '#queue/redis/scripts/serve';
import { type SubmitEntry, submit } from '#queue/redis/scripts/submit';
import { tick } from '#queue/redis/scripts/tick';
import { work } from '#queue/redis/scripts/work';
import type { RedisStore } from '#queue/redis/store';
import { decodeRecord } from '#queue/redis/task-record';
import { failure } from '../support/engine';
import { PLACES, readQueue, violations } from '../support/queue-snapshot';
import type { RedisServer } from '../support/redis-server';
import type { ShiftedClock } from '../support/shifted-clock';
import { inOrderOfEnd, type QueueModel } from './queue-model';

export const QUEUE = 'default';
/** Tasks with a key are kept for a day: the clock stays within one. */
const CLOCK_ROOM_MS = 18 * 3_600_000;
const LOST = { fingerprint: '1ea5e105', body: '{"name":"LeaseLostError"}' };
const EXPIRED = { fingerprint: 'e8b17ed0', body: '{"name":"ExpiredError"}' };

export interface World {
  store: RedisStore;
  server: RedisServer;
  clock: ShiftedClock;
  startMs: number;
  /** Every token there has been, the newest last. */
  tokens: { id: string; token: string }[];
  ids: string[];
  /** The call that each lane made last. */
  lanes: Map<string, WorkCall>;
  nonces: number;
  done: { calls: number; kills: number; clockSteps: number; expiredLeases: number };
}

export type QueueCommand = fc.AsyncCommand<QueueModel, World>;

/** Draws from a list by any number; the newest are likelier. */
const pick = <T>(from: readonly T[], n: number): T | undefined =>
  from[from.length - 1 - (n % Math.max(1, from.length))];

function command(name: string, run: (model: QueueModel, world: World) => Promise<void>): QueueCommand {
  return {
    check: () => true,
    run: async (model, world) => {
      world.done.calls++;
      await run(model, world);
      await compare(model, world);
    },
    toString: () => name,
  };
}

/** The whole store is what the model says, and keeps every rule of its own. */
export async function compare(model: QueueModel, { store }: World): Promise<void> {
  const queue = await store.command('read it all', (redis) => readQueue(redis, store.keys, QUEUE));
  expect(violations(queue)).toEqual([]);
  const found: Record<string, unknown> = {};
  for (const place of PLACES)
    for (const [id, score] of queue.sets[place]) {
      const record = decodeRecord(queue.records.get(id) ?? '');
      const line = queue.active.get(id);
      found[id] = {
        place,
        priority: record.priority,
        most: record.maxAttempts,
        ...(place === 'completed' ? {} : { attempts: record.attemptsEnded }),
        ...(place === 'pending' || place === 'parked' || place === 'scheduled' || place === 'retrying'
          ? { score }
          : {}),
        ...(line && { run: [line.token, line.workerId, line.attempt, line.cancelRequested, score] }),
      };
    }
  const wanted: Record<string, unknown> = {};
  for (const task of model.tasks.values()) {
    const { place, run } = task;
    wanted[task.id] = {
      place,
      priority: 10 - task.band,
      most: task.most,
      ...(place === 'completed' ? {} : { attempts: task.attempts }),
      ...(place === 'pending' || place === 'parked' ? { score: model.score(task) } : {}),
      ...(place === 'scheduled' || place === 'retrying' ? { score: task.dueAt } : {}),
      ...(run && { run: [run.token, run.workerId, run.attempt, run.cancelAsked, run.until] }),
    };
  }
  expect(found).toEqual(wanted);
  for (const place of ['completed', 'failed', 'cancelled'] as const) {
    const scores = [...queue.sets[place].values()];
    expect(new Set(scores).size, `scores of ${place} are unique`).toBe(scores.length);
    expect([...queue.sets[place].keys()]).toEqual(
      model
        .in(place)
        .sort(inOrderOfEnd)
        .map(({ id }) => id),
    );
  }
  if (queue.meta.mono !== undefined)
    expect(['mono', 'epoch', 'seq'].map((field) => Number(queue.meta[field] ?? 0))).toEqual([
      model.mono,
      model.epoch,
      model.seq,
    ]);
}

const small = fc.nat({ max: 40 });
const leaseMs = fc.constantFrom(1000, 4000, 10_000);
const delayMs = fc.constantFrom(0, 5, 1000, 60_000);
const taskType = fc.constantFrom('a', 'a', 'a', 'b');

interface Drawn {
  type: 'a' | 'b';
  priority: number;
  retries: number;
  delay: number | null;
  expires: number | null;
  unique: string | null;
  key: string | null;
  hash: string;
  again: boolean;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  type: taskType as fc.Arbitrary<'a' | 'b'>,
  priority: fc.constantFrom(1, 5, 5, 5, 10),
  retries: fc.constantFrom(0, 1, 3),
  delay: fc.option(delayMs, { freq: 3 }),
  expires: fc.option(fc.constantFrom(0, 500, 30_000), { freq: 4 }),
  unique: fc.option(fc.constantFrom('u1', 'u2'), { freq: 4 }),
  key: fc.option(fc.constantFrom('k1', 'k2'), { freq: 4 }),
  hash: fc.constantFrom('h1', 'h1', 'h2'),
  again: fc.boolean(),
});

const submits = fc.array(drawn, { minLength: 1, maxLength: 5 }).map((tasks) =>
  command(`submit ${JSON.stringify(tasks)}`, async (model, world) => {
    const entries = tasks.map((task, n): SubmitEntry => {
      const known = task.again && n === 0 ? world.ids.at(-1) : undefined;
      const id = known ?? `T${String(world.ids.length).padStart(25, '0')}`;
      if (known === undefined) world.ids.push(id);
      return {
        id,
        type: task.type,
        priority: task.priority,
        payload: '{}',
        name: null,
        maxRetries: task.retries,
        timeoutMs: 300_000,
        backoff: { type: 'exponential', baseMs: 1000, maxMs: 300_000, jitter: 0.2 },
        runAt: task.delay === null ? null : model.wall + task.delay,
        expiresAt: task.expires === null ? null : model.wall + task.expires,
        dependsOn: [],
        tags: task.again ? ['again'] : [],
        owner: null,
        idempotencyKey: task.key,
        bodyHash: task.key === null ? null : task.hash.padEnd(8, '0'),
        uniqueKey: task.unique,
      };
    });
    const { verdicts } = await world.store.run(submit, QUEUE, entries);
    expect(verdicts).toEqual(model.submit(entries));
  }),
);

type End = Settle['kind'];
const end = fc.record({
  nth: small,
  kind: fc.constantFrom<End>('complete', 'complete', 'fail', 'fail', 'dead', 'cancelled', 'release', 'snooze'),
  delay: delayMs,
});

function settleOf({ kind, delay }: { kind: End; delay: number }, lease: { id: string; token: string }): Settle {
  if (kind === 'complete') return { ...lease, kind, result: '1' };
  if (kind === 'fail') return { ...lease, kind, retryInMs: delay, error: failure() };
  if (kind === 'dead') return { ...lease, kind, error: failure('gone', 'Error', '00000bad') };
  if (kind === 'snooze') return { ...lease, kind, delayMs: delay };
  if (kind === 'cancelled') return { ...lease, kind, reason: 'asked' };
  return { ...lease, kind };
}

const works = fc
  .record({
    worker: fc.constantFrom('w1', 'w2'),
    lane: fc.constantFrom('0', '1'),
    want: fc.constantFrom(0, 1, 1, 3, 12),
    types: fc.constantFrom(['a', 'b'], ['a', 'b'], ['a'], ['b']),
    ends: fc.array(end, { maxLength: 2 }),
    leaseMs,
    repeat: fc.nat({ max: 3 }).map((n) => n === 0),
  })
  .map((drawnCall) =>
    command(`work ${JSON.stringify(drawnCall)}`, async (model, world) => {
      const { worker, lane, want, types, ends, repeat } = drawnCall;
      const name = `${worker}:${lane}`;
      const last = world.lanes.get(name);
      const settles = ends.flatMap((one) => {
        const lease = pick(world.tokens, one.nth);
        return lease === undefined ? [] : [settleOf(one, lease)];
      });
      const call: WorkCall =
        repeat && last !== undefined
          ? last
          : {
              queue: QUEUE,
              workerId: worker,
              lane,
              nonce: `n${++world.nonces}`,
              settles,
              want,
              leaseMs: drawnCall.leaseMs,
              types,
            };
      world.lanes.set(name, call);
      const answer = await world.store.run(work, QUEUE, call);
      const wanted = model.work(call);
      expect(answer.verdicts).toEqual(wanted.verdicts);
      const claimed = answer.claimed.map(({ id, token }) => ({ id, token }));
      const inAnyOrder = (list: typeof claimed) =>
        call === last ? list.toSorted((a, b) => (a.id < b.id ? -1 : 1)) : list;
      expect(inAnyOrder(claimed)).toEqual(inAnyOrder(wanted.claimed));
      expect(answer.skipped).toBe(wanted.skipped);
      world.tokens.push(...claimed.filter(({ token }) => !world.tokens.some((known) => known.token === token)));
    }),
  );

const extensions = fc.record({ nth: fc.array(small, { minLength: 1, maxLength: 4 }), leaseMs }).map((input) =>
  command(`extend ${JSON.stringify(input)}`, async (model, world) => {
    const held = input.nth.flatMap((n) => pick(world.tokens, n) ?? []);
    const { lost, cancelRequested } = await world.store.run(extend, QUEUE, { leaseMs: input.leaseMs, held });
    expect({ lost, asked: cancelRequested }).toEqual(model.extend(held, input.leaseMs));
  }),
);

async function tickOnce(model: QueueModel, { store, done }: World): Promise<void> {
  const answer = await store.run(tick, QUEUE, { limit: 200, lost: LOST, expired: EXPIRED });
  const wanted = model.tick();
  done.expiredLeases += wanted.reaped;
  expect(answer).toMatchObject(wanted);
  const ready = model.paused ? 0 : model.in('pending').length;
  const full = model.concurrency !== null && model.in('leases').length >= model.concurrency;
  expect(answer.ready).toBe(full ? 0 : ready);
}
const ticks = fc.constant(command('tick', tickOnce));

/** Nobody extends: by ticks that come as often as the queue clock wants them. */
const waits = fc.constantFrom(4, 40).map((most) =>
  command(`${most} ticks, or until no lease is left`, async (model, world) => {
    for (let n = 0; n < most && model.in('leases').length > 0; n++) {
      step(world, model.cap);
      await tickOnce(model, world);
    }
  }),
);

const byIds = fc.array(small, { minLength: 1, maxLength: 4 });
const idsOf = (world: World, nth: readonly number[]) => [...new Set(nth.flatMap((n) => pick(world.ids, n) ?? []))];

const cancels = byIds.map((nth) =>
  command(`cancel ${nth}`, async (model, world) => {
    const ids = idsOf(world, nth);
    const answers = await world.store.run(cancel, QUEUE, { ids, reason: 'x', parentTypes: [] });
    expect(answers.map(({ outcome }) => outcome)).toEqual(ids.length === 0 ? [] : model.cancel(ids));
  }),
);
const removals = byIds.map((nth) =>
  command(`remove ${nth}`, async (model, world) => {
    const ids = idsOf(world, nth);
    expect(await world.store.run(remove, QUEUE, ids)).toEqual(ids.length === 0 ? [] : model.remove(ids));
  }),
);
const requeues = fc.record({ nth: byIds, priority: fc.option(fc.constantFrom(1, 10)) }).map(({ nth, priority }) =>
  command(`requeue ${nth} to ${priority}`, async (model, world) => {
    const ids = idsOf(world, nth);
    const input = { ids, payload: null, priority, keysChecked: true };
    expect(await world.store.run(requeue, QUEUE, input)).toEqual(ids.length === 0 ? [] : model.requeue(ids, priority));
  }),
);
const serves = fc
  .record({ types: fc.constantFrom(['a'], ['b'], ['a', 'b']), ttlMs: fc.constantFrom(100, 15_000) })
  .map(({ types, ttlMs }) =>
    command(`serve ${types} for ${ttlMs} ms`, async (model, { store }) => {
      expect(await store.run(serve, QUEUE, { ttlMs, limit: 100, types })).toBe(model.serve(types, ttlMs));
    }),
  );
const pauses = fc.boolean().map((paused) =>
  command(paused ? 'pause' : 'resume', async (model, { store }) => {
    expect(await store.run(configure, QUEUE, { paused: paused ? 1 : null })).toBe(true);
    model.configure({ paused });
  }),
);
const limits = fc
  .record({
    concurrency: fc.option(fc.constantFrom(1, 3), { freq: 1 }),
    rateLimit: fc.option(fc.record({ max: fc.constantFrom(1, 4), perMs: fc.constantFrom(200, 5000) }), { freq: 1 }),
  })
  .map((change) =>
    command(`limit ${JSON.stringify(change)}`, async (model, { store }) => {
      const { concurrency, rateLimit } = change;
      const settings = { concurrency, rate_max: rateLimit?.max ?? null, rate_per: rateLimit?.perMs ?? null };
      expect(await store.run(configure, QUEUE, settings)).toBe(true);
      model.configure(change);
    }),
  );
const prunes = fc.constantFrom(0, 2).map((most) =>
  command(`keep ${most}`, async (model, { store }) => {
    const each = { completed: most, failed: most, cancelled: most };
    const ageMs = { completed: 0, failed: 0, cancelled: 0 };
    const removed = await store.run(prune, QUEUE, { limit: 200, retention: { count: each, ageMs, bytes: 0 } });
    expect(removed).toBe(model.prune(most));
  }),
);

const HOUR_MS = 3_600_000;
const clockSteps = fc
  .constantFrom(1, 1, 20, 100, 240, 300, 1000, 1000, 2600, 11_000, -5000, HOUR_MS, -HOUR_MS)
  .map((ms) => command(`clock ${ms > 0 ? '+' : ''}${ms} ms`, async (_model, world) => step(world, ms)));

function step({ clock, startMs, done }: World, ms: number): void {
  const next = clock.nowMs + ms;
  if (Math.abs(next - startMs) >= CLOCK_ROOM_MS) return;
  done.clockSteps++;
  clock.stand(next);
}
const flushes = fc.constant(
  command('SCRIPT FLUSH', async (_model, { store }) => {
    await store.command('flush the scripts', (redis) => redis.script('FLUSH'));
  }),
);
const kills = fc.constant(
  command('kill -9 of Redis', async (_model, { server, store, done }) => {
    done.kills++;
    server.kill9();
    await server.restart();
    await store.whenReady(5000);
  }),
);

/** What there is to do, the likelier the more often it stands here. */
export const anyCommand: fc.Arbitrary<QueueCommand>[] = [
  submits,
  submits,
  works,
  works,
  works,
  works,
  extensions,
  ticks,
  waits,
  waits,
  clockSteps,
  clockSteps,
  clockSteps,
  cancels,
  removals,
  requeues,
  requeues,
  serves,
  pauses,
  limits,
  prunes,
  flushes,
  fc.oneof({ arbitrary: ticks, weight: 19 }, { arbitrary: kills, weight: 1 }),
];
