/** A queue in several physical queues: to everybody outside it is one. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectedEngine } from '#queue/engine/connect';
import type { FeedItem, SubmitOutcome, TaskSpec } from '#queue/engine/ports';
import { state } from '#queue/redis/scripts/state';
import { connectTo, failure, submitAll, submitOne, taskSpec, workOnce } from '../support/engine';
import { type RedisServer, startRedis } from '../support/redis-server';

const SHARDS = ['hot', 'hot#1', 'hot#2', 'hot#3'];

let server: RedisServer;
let connected: ConnectedEngine;
/** Another process. */
let other: ConnectedEngine;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  connected = connectTo(server);
  other = connectTo(server);
  await Promise.all([connected.whenReady(5000), other.whenReady(5000)]);
  await connected.store.command('flush', (redis) => redis.flushall());
});
afterEach(async () => {
  await connected?.close();
  await other?.close();
});

const setShards = (shards: number) => connected.engine.setLimits('hot', { shards });
const hot = (count: number, spec: Partial<TaskSpec> = {}) =>
  Array.from({ length: count }, () => ({ queue: 'hot', ...spec }));
const stateOf = (shard: string) => connected.store.run(state, shard, { id: null });
const pendingBy = async (shards = SHARDS) =>
  Promise.all(shards.map(async (shard) => (await stateOf(shard)).counts.pending));
const queue = async () => {
  const found = await connected.reader.queueState('hot');
  if (found === null) throw new Error('no queue');
  return found;
};
async function submit(process: ConnectedEngine, spec: Partial<TaskSpec>): Promise<SubmitOutcome> {
  const [outcome] = await process.engine.submitMany([taskSpec({ queue: 'hot', ...spec })]);
  if (outcome === undefined) throw new Error('no outcome');
  return outcome;
}
const codeOf = (outcome: SubmitOutcome): string =>
  outcome.ok ? (outcome.repeated ? 'repeated' : 'accepted') : outcome.error.code;
const idOf = (outcome: SubmitOutcome): string => {
  if (!outcome.ok) throw outcome.error;
  return outcome.id;
};
/** Claims all that is there, shard by shard. */
async function claimAll(want = 500) {
  const answers = await Promise.all(SHARDS.map((shard) => workOnce(connected, { queue: shard, want })));
  return answers.flatMap(({ claimed }) => claimed);
}
/** A key that says shard 2 of 4, and 0 of 2. */
const TRAVELLING = 'k-2';

describe('tasks of a queue with shards', () => {
  it('are spread in whole parts, or one by one where they come so', async () => {
    await setShards(4);
    await submitAll(connected, hot(1000));
    expect(await pendingBy()).toEqual([250, 250, 250, 250]);
    for (let n = 0; n < 8; n++) await submitOne(other, { queue: 'hot' });
    expect(await pendingBy()).toEqual([252, 252, 252, 252]);
  });

  it('are found by id, and in pages, each once, by the name of the queue', async () => {
    const before = await submitAll(connected, hot(10));
    await setShards(4);
    const ids = [...before, ...(await submitAll(connected, [...hot(600), { queue: 'another' }]))].slice(0, -1);
    const tasks = await other.reader.getTasks(ids);
    expect(new Set(tasks.map((task) => task?.queue))).toEqual(new Set(['hot']));
    for (const filter of [{ queue: 'hot' }, { queue: ['hot'], status: ['pending' as const] }]) {
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const page = await other.reader.listTasks(filter, { limit: 97, cursor });
        seen.push(...page.tasks.map(({ id }) => id));
        cursor = page.nextCursor;
      } while (cursor !== null);
      expect(seen.toSorted()).toEqual(ids.toSorted());
    }
    expect(await other.reader.listIds({ queue: 'hot' }, 1000)).toHaveLength(610);
    expect(await other.reader.queueNames()).toEqual(['another', 'hot']);
  });

  it('are counted together', async () => {
    await setShards(3);
    const old = await submitOne(connected, { queue: 'hot' });
    await submitAll(connected, hot(600, { type: 'other' }));
    const oldest = (await connected.reader.getTasks([old]))[0]?.createdAt;
    expect(await queue()).toMatchObject({ counts: { pending: 601 }, oldestPendingAt: oldest, limits: { shards: 3 } });
    expect((await connected.reader.queueStates()).map(({ name, counts }) => [name, counts.pending])).toEqual([
      ['hot', 601],
    ]);
    const types = await connected.reader.pendingTypes('hot');
    expect(types).toMatchObject({ total: 601, sampled: 601 });
    expect([...types.byType].toSorted()).toEqual([
      ['noop', 1],
      ['other', 600],
    ]);
    expect(await connected.reader.suggest('queue', 'h')).toEqual([{ value: 'hot', label: null, count: 601 }]);
  });

  it('run each once, and are told of by the name of the queue', async () => {
    const items: FeedItem[] = [];
    const stopping = new AbortController();
    await new Promise<void>((ready) => void connected.feed.follow((item) => items.push(item), stopping.signal, ready));
    await setShards(4);
    const ids = await submitAll(connected, hot(700));
    const claimed = await claimAll();
    expect(claimed.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    const changes = () => items.flatMap((item) => (item.kind === 'changes' ? item.changes : []));
    await expect.poll(() => changes().length).toBe(1400);
    expect(new Set(changes().map((change) => change.queue))).toEqual(new Set(['hot']));
    expect(items.filter(({ kind }) => kind === 'gap')).toEqual([]);
    stopping.abort();
  });

  it('fail into groups of the whole queue, and are requeued from there', async () => {
    await setShards(4);
    await submitAll(connected, hot(1000));
    for (const shard of SHARDS) {
      const { claimed } = await workOnce(connected, { queue: shard, want: 5 });
      const settles = claimed.map(({ id, token }) => ({ kind: 'dead' as const, id, token, error: failure() }));
      await workOnce(connected, { queue: shard, want: 0, settles });
    }
    expect(await connected.reader.errorGroups()).toMatchObject([{ count: 20, queues: ['hot'] }]);
    expect(await connected.reader.errorGroupCount()).toBe(1);
    expect(await connected.reader.failureGroups()).toMatchObject([{ count: 20, queues: ['hot'] }]);
    expect(await connected.reader.failureGroup('abcdef12')).toMatchObject({ count: 20, queues: ['hot'], compared: 20 });
    const dead = await connected.reader.listIds({ queue: 'hot', status: ['failed'] }, 100);
    expect(await connected.engine.requeue(dead)).toEqual(dead.map(() => 'requeued'));
    expect((await queue()).counts).toMatchObject({ pending: 1000, failed: 0 });
  });

  it('wait for each other across shards', async () => {
    await setShards(4);
    const parents: string[] = [];
    for (let n = 0; n < 4; n++) parents.push(await submitOne(connected, { queue: 'hot' }));
    const child = await submitOne(connected, { queue: 'hot', dependsOn: parents });
    expect((await queue()).counts).toMatchObject({ pending: 4, blocked: 1 });
    for (const task of await claimAll()) {
      const settles = [{ kind: 'complete' as const, id: task.id, token: task.token, result: '1' }];
      await workOnce(connected, { queue: task.queue, want: 0, settles });
    }
    for (const shard of await connected.registry.physicalNames()) await connected.engine.tick(shard);
    expect(await connected.reader.getTasks([child])).toMatchObject([{ status: 'pending', queue: 'hot' }]);
  });
});

describe('keys over shards', () => {
  it('are honoured, whichever way they come in', async () => {
    await setShards(4);
    const keyed = Array.from({ length: 40 }, (_, n) => taskSpec({ queue: 'hot', uniqueKey: `u${n}` }));
    const first = await connected.engine.submitMany(keyed);
    expect(new Set(first.map(codeOf))).toEqual(new Set(['accepted']));
    expect((await pendingBy()).every((count) => count > 0)).toBe(true);
    expect(new Set((await other.engine.submitMany(keyed)).map(codeOf))).toEqual(new Set(['DUPLICATE_UNIQUE_KEY']));
    const repeats = await Promise.all(keyed.map((_, n) => submit(other, { idempotencyKey: `i${n}`, bodyHash: 'h' })));
    expect(new Set(repeats.map(codeOf))).toEqual(new Set(['accepted']));
    const again = await Promise.all(
      repeats.map((_, n) => submit(connected, { idempotencyKey: `i${n}`, bodyHash: 'h' })),
    );
    expect(again.map((outcome) => outcome.ok && outcome.id)).toEqual(repeats.map(idOf));
    expect(codeOf(await submit(other, { idempotencyKey: 'i1', bodyHash: 'x' }))).toBe('IDEMPOTENCY_CONFLICT');
  });

  it.each([
    [1, 4],
    [4, 1],
    [2, 4],
    [4, 2],
  ])('hold while %i shards become %i, also for a process that has not heard of it', async (from, to) => {
    await setShards(from);
    await submitOne(other, { queue: 'hot' }); // it knows the old number
    const unique = idOf(await submit(connected, { uniqueKey: TRAVELLING }));
    const idempotent = idOf(await submit(connected, { idempotencyKey: TRAVELLING, bodyHash: 'h' }));
    await setShards(to);
    await submitOne(connected, { queue: 'hot' }); // it knows the new one
    for (const process of [connected, other, connected]) {
      expect(await submit(process, { uniqueKey: TRAVELLING })).toMatchObject({
        error: { code: 'DUPLICATE_UNIQUE_KEY', extra: { task_id: unique } },
      });
      expect(await submit(process, { idempotencyKey: TRAVELLING, bodyHash: 'h' })).toMatchObject({
        id: idempotent,
        repeated: true,
      });
      expect(await submit(process, { idempotencyKey: TRAVELLING, bodyHash: 'x' })).toMatchObject({
        error: { code: 'IDEMPOTENCY_CONFLICT', extra: { task_id: idempotent } },
      });
    }
  });

  it('go to one of two tasks where processes that know different numbers submit at the same time', async () => {
    await submitOne(other, { queue: 'hot' });
    for (let n = 0; n < 20; n++) {
      await setShards(n % 2 === 0 ? 4 : 1);
      await submitOne(connected, { queue: 'hot' }); // the other one knows the number of the round before
      const outcomes = await Promise.all(
        [connected, other].flatMap((process) => [
          submit(process, { uniqueKey: `u${n}` }),
          submit(process, { idempotencyKey: `i${n}`, bodyHash: 'h' }),
        ]),
      );
      const codes = outcomes.map(codeOf);
      expect([codes[0], codes[2]].toSorted()).toEqual(['DUPLICATE_UNIQUE_KEY', 'accepted']);
      expect([codes[1], codes[3]].toSorted()).toEqual(['accepted', 'repeated']);
    }
    const claims = await connected.store.command('look', (redis) => redis.keys('mr:{_sys}:claim:*'));
    expect(claims).toEqual([]);
  });

  it('are held by one task each while the number changes again and again under load', async () => {
    const keys = Array.from({ length: 40 }, (_, n) => `u${n}`);
    const codes = new Map<string, number>();
    const load = [connected, other].map(async (process, number) => {
      for (let round = 0; round < 6; round++)
        for (let from = 0; from < keys.length; from += 5) {
          const some = keys
            .slice(from, from + 5)
            .map((key) => submit(process, { uniqueKey: key, idempotencyKey: `${key} ${number}`, bodyHash: 'h' }));
          for (const code of (await Promise.all(some)).map(codeOf)) codes.set(code, (codes.get(code) ?? 0) + 1);
        }
    });
    const numbers = [4, 2, 8, 1, 5, 3, 1, 4].map((shards) => async () => setShards(shards));
    const changes = numbers.reduce((before, change) => before.then(change), Promise.resolve());
    await Promise.all([...load, changes]);
    expect(codes.get('accepted')).toBe(keys.length);
    expect([...codes.keys()].toSorted()).toEqual(['DUPLICATE_UNIQUE_KEY', 'accepted', 'repeated']);
    const held = await connected.reader.listTasks({ queue: 'hot' }, { limit: 100, cursor: null });
    expect(held.tasks.map(({ uniqueKey }) => uniqueKey).toSorted()).toEqual(keys.toSorted());
  });

  it('of one call that say different shards are judged one after the other', async () => {
    await setShards(4);
    const outcomes = await connected.engine.submitMany(
      [
        { idempotencyKey: 'a', bodyHash: '1', uniqueKey: 'k-0' },
        { idempotencyKey: 'a', bodyHash: '2', uniqueKey: 'k-1' },
        { idempotencyKey: 'b', bodyHash: '3', uniqueKey: 'k-2' },
        { idempotencyKey: 'a', bodyHash: '1', uniqueKey: 'k-2' },
        { idempotencyKey: 'c', bodyHash: '4', uniqueKey: 'k-0' },
        {},
      ].map((spec) => taskSpec({ queue: 'hot', ...spec })),
    );
    expect(outcomes.map(codeOf)).toEqual([
      'accepted',
      'IDEMPOTENCY_CONFLICT',
      'accepted',
      'repeated',
      'DUPLICATE_UNIQUE_KEY',
      'accepted',
    ]);
    expect((await queue()).counts.pending).toBe(3);
  });

  it('are asked for in every shard by a requeue', async () => {
    const dead = idOf(await submit(connected, { uniqueKey: TRAVELLING }));
    await connected.engine.cancel([dead], 'enough');
    await setShards(4);
    const holder = idOf(await submit(connected, { uniqueKey: TRAVELLING }));
    expect(await other.engine.requeue([dead, holder])).toEqual(['duplicate', 'not_final']);
    await connected.engine.cancel([holder], 'enough');
    expect(await other.engine.requeue([dead, holder])).toEqual(['requeued', 'duplicate']);
  });

  it('of another queue are told of by its name', async () => {
    await setShards(4);
    await submit(connected, { uniqueKey: TRAVELLING, idempotencyKey: TRAVELLING, bodyHash: 'h' });
    const unique = await submit(other, { queue: 'b', uniqueKey: TRAVELLING });
    expect(unique).toMatchObject({ error: { message: expect.stringContaining('of the queue "hot" holds') } });
    const idempotent = await submit(other, { queue: 'b', idempotencyKey: TRAVELLING, bodyHash: 'h' });
    expect(idempotent).toMatchObject({ error: { message: expect.stringMatching(/of the queue "hot"$/) } });
  });
});

describe('settings of a queue with shards', () => {
  it('pause, resume and purge hold for all of it', async () => {
    await setShards(4);
    await submitAll(connected, hot(1000));
    await submitAll(connected, hot(4, { runAt: Date.now() + 60_000 }));
    await connected.engine.pause('hot');
    expect((await queue()).paused).toBe(true);
    expect(await claimAll()).toEqual([]);
    await setShards(5);
    expect((await stateOf('hot#4')).paused).toBe(true);
    await connected.engine.resume('hot');
    expect((await queue()).paused).toBe(false);
    expect(await claimAll(1)).toHaveLength(4);
    expect(await connected.engine.purge('hot')).toBe(1000);
    expect((await queue()).counts).toMatchObject({ pending: 0, scheduled: 0, processing: 4 });
  });

  it('divide limits, the first shards get the rest, and answer the sum', async () => {
    const { engine } = connected;
    await engine.setLimits('hot', { concurrency: 10, rate: { max: 6, perMs: 60_000 }, targetAgeMs: 5000 });
    await setShards(4);
    const limits = await Promise.all(SHARDS.map(async (shard) => (await stateOf(shard)).limits));
    expect(limits.map(({ concurrency }) => concurrency)).toEqual([3, 3, 2, 2]);
    expect(limits.map(({ rate }) => rate?.max)).toEqual([2, 2, 1, 1]);
    const whole = { concurrency: 10, rate: { max: 6, perMs: 60_000 }, targetAgeMs: 5000, agingMs: null, shards: 4 };
    expect((await queue()).limits).toMatchObject(whole);
    await engine.setLimits('hot', { rate: null });
    await submitAll(connected, hot(1000));
    expect(await claimAll()).toHaveLength(10);
    await engine.setLimits('hot', { concurrency: 7, durability: 'memory' });
    expect((await queue()).limits).toMatchObject({ ...whole, rate: null, concurrency: 7, durability: 'memory' });
    await engine.setLimits('hot', { shards: 2 });
    expect((await queue()).limits).toMatchObject({ concurrency: 7, shards: 2 });
    expect((await stateOf('hot#3')).limits.concurrency).toBe(1);
  });

  it('refuse a limit that cannot be divided, and say what to do', async () => {
    const { engine } = connected;
    await setShards(4);
    await expect(engine.setLimits('hot', { concurrency: 3 })).rejects.toMatchObject({
      code: 'INVALID',
      fields: [
        { path: 'concurrency', message: expect.stringContaining('must be 4 at least, or the shards at most 3') },
      ],
    });
    await expect(engine.setLimits('hot', { rate: { max: 1, perMs: 1000 } })).rejects.toMatchObject({
      fields: [{ path: 'rate' }],
    });
    await engine.setLimits('hot', { concurrency: 4 });
    await expect(setShards(5)).rejects.toMatchObject({ fields: [{ path: 'shards' }] });
    expect((await queue()).limits).toMatchObject({ concurrency: 4, shards: 4 });
    await engine.setLimits('hot', { concurrency: 2, shards: 2 });
  });

  it('change aging in all shards or in none', async () => {
    await setShards(4);
    await connected.engine.setLimits('hot', { agingMs: 1000 });
    expect((await stateOf('hot#3')).limits.agingMs).toBe(1000);
    await submitOne(connected, { queue: 'hot' });
    await expect(connected.engine.setLimits('hot', { agingMs: null })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect((await Promise.all(SHARDS.map(stateOf))).map(({ limits }) => limits.agingMs)).toEqual(
      SHARDS.map(() => 1000),
    );
    await setShards(6); // which changes nothing of it
    expect((await stateOf('hot#5')).limits.agingMs).toBe(1000);
  });

  it('with fewer shards leave what lies in the others to be read and worked on', async () => {
    await setShards(4);
    const ids = await submitAll(connected, hot(1000));
    await setShards(2);
    ids.push(...(await submitAll(connected, hot(500)))); // a process hears of it with its next answer
    ids.push(...(await submitAll(connected, hot(500))));
    const [zero = 0, one = 0, two = 0, three = 0] = await pendingBy();
    expect(zero + one).toBeGreaterThanOrEqual(1000);
    expect(two + three).toBe(2000 - zero - one);
    expect((await queue()).counts.pending).toBe(2000);
    const claimed = [...(await claimAll()), ...(await claimAll()), ...(await claimAll())];
    expect(claimed.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    await submitAll(connected, hot(1000));
    expect(await pendingBy()).toEqual([500, 500, 0, 0]);
  });

  it('are gone with a store that was emptied, and the queue goes on without shards', async () => {
    await setShards(4);
    await submitAll(connected, hot(1000));
    await connected.store.command('flush', (redis) => redis.flushall());
    const ids = await submitAll(connected, hot(1000));
    expect(await connected.reader.queueNames()).toEqual(['hot']);
    expect((await queue()).counts.pending).toBe(1000);
    const claimed = [...(await claimAll()), ...(await claimAll())];
    expect(claimed.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  });
});
