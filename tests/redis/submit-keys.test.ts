import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectedEngine } from '#queue/engine/connect';
import type { SubmitOutcome, TaskSpec } from '#queue/engine/ports';
import { connectTo, taskSpec } from '../support/engine';
import { type RedisServer, startRedis } from '../support/redis-server';

let server: RedisServer;
let one: ConnectedEngine;
/** Another process. */
let two: ConnectedEngine;

beforeAll(async () => {
  server = await startRedis();
  one = connectTo(server);
  two = connectTo(server);
  await Promise.all([one.whenReady(5000), two.whenReady(5000)]);
});
afterAll(async () => {
  await one?.close();
  await two?.close();
  await server?.stop();
});
beforeEach(async () => {
  await one.store.command('flush', (redis) => redis.flushall());
});

const submit = async (connected: ConnectedEngine, spec: Partial<TaskSpec>): Promise<SubmitOutcome> => {
  const [outcome] = await connected.engine.submitMany([taskSpec(spec)]);
  if (outcome === undefined) throw new Error('no outcome');
  return outcome;
};
const idOf = (outcome: SubmitOutcome): string => {
  if (!outcome.ok) throw outcome.error;
  return outcome.id;
};
const codeOf = (outcome: SubmitOutcome): string => (outcome.ok ? 'accepted' : outcome.error.code);
const claims = () => one.store.command('look', (redis) => redis.keys('mr:{_sys}:claim:*'));

describe('an idempotency key', () => {
  it('that another queue holds is a conflict which names the first task', async () => {
    const first = idOf(await submit(one, { queue: 'a', idempotencyKey: 'k;1', bodyHash: 'h1' }));
    const second = await submit(two, { queue: 'b', idempotencyKey: 'k;1', bodyHash: 'h2' });
    expect(second).toMatchObject({ ok: false, error: { code: 'IDEMPOTENCY_CONFLICT', extra: { task_id: first } } });
    expect((await one.reader.listTasks({}, { limit: 10, cursor: null })).total).toBe(1);
    expect(await claims()).toEqual([]);
  });

  it('goes to one of two queues where both ask at the same time', async () => {
    const outcomes = await Promise.all(
      [one, two].flatMap((connected, process) =>
        ['a', 'b', 'c'].map((queue) =>
          submit(connected, { queue, idempotencyKey: 'k', bodyHash: `${queue}${process}` }),
        ),
      ),
    );
    expect(outcomes.map(codeOf).sort()).toEqual(['accepted', ...Array(5).fill('IDEMPOTENCY_CONFLICT')].sort());
  });

  it('is judged within one request as over several', async () => {
    const outcomes = await one.engine.submitMany([
      taskSpec({ queue: 'a', idempotencyKey: 'k', bodyHash: 'h' }),
      taskSpec({ queue: 'b', idempotencyKey: 'k', bodyHash: 'x' }),
      taskSpec({ queue: 'b' }),
      taskSpec({ queue: 'a', idempotencyKey: 'k', bodyHash: 'h' }),
    ]);
    expect(outcomes.map(codeOf)).toEqual(['accepted', 'IDEMPOTENCY_CONFLICT', 'accepted', 'accepted']);
    expect(outcomes[3]).toMatchObject({ id: idOf(outcomes[0] as SubmitOutcome), repeated: true });
  });

  it('of a task that was refused is free for another queue', async () => {
    const refused = await submit(one, {
      queue: 'a',
      idempotencyKey: 'k',
      bodyHash: 'h',
      dependsOn: ['01ARZ3NDEKTSV4RRFFQ69G5FAV'],
    });
    expect(codeOf(refused)).toBe('INVALID');
    expect(codeOf(await submit(two, { queue: 'b', idempotencyKey: 'k', bodyHash: 'x' }))).toBe('accepted');
  });
});

describe('a unique key', () => {
  it('that a live task of another queue holds is refused, and is free when that task ends', async () => {
    const first = idOf(await submit(one, { queue: 'a', uniqueKey: 'u' }));
    const second = await submit(two, { queue: 'b', uniqueKey: 'u' });
    expect(second).toMatchObject({ ok: false, error: { code: 'DUPLICATE_UNIQUE_KEY', extra: { task_id: first } } });
    await one.engine.cancel([first], 'enough');
    expect(codeOf(await submit(two, { queue: 'b', uniqueKey: 'u' }))).toBe('accepted');
    expect(codeOf(await submit(one, { queue: 'a', uniqueKey: 'u' }))).toBe('DUPLICATE_UNIQUE_KEY');
  });

  it('is asked for in every queue by a requeue, too', async () => {
    const dead = idOf(await submit(one, { queue: 'a', uniqueKey: 'u|1' }));
    await one.engine.cancel([dead], 'enough');
    const holder = idOf(await submit(two, { queue: 'b', uniqueKey: 'u|1' }));
    const plain = idOf(await submit(one, { queue: 'a' }));
    await one.engine.cancel([plain], 'enough');
    expect(await one.engine.requeue([plain, dead, holder])).toEqual(['requeued', 'duplicate', 'not_final']);
    await two.engine.cancel([holder], 'enough');
    expect(await one.engine.requeue([dead, holder])).toEqual(['requeued', 'duplicate']);
    expect(codeOf(await submit(two, { queue: 'b', uniqueKey: 'u|1' }))).toBe('DUPLICATE_UNIQUE_KEY');
    expect(await claims()).toEqual([]);
  });

  it('goes to one of two requeues in two queues at the same time', async () => {
    const ids: string[] = [];
    for (const queue of ['a', 'b', 'c']) {
      const id = idOf(await submit(one, { queue, uniqueKey: 'u' }));
      await one.engine.cancel([id], 'enough');
      ids.push(id);
    }
    const outcomes = await Promise.all(ids.map((id, index) => (index % 2 === 0 ? one : two).engine.requeue([id])));
    expect(outcomes.flat().sort()).toEqual(['duplicate', 'duplicate', 'requeued']);
  });

  it('does not keep a requeue from a new payload and priority', async () => {
    const id = idOf(await submit(one, { queue: 'a', uniqueKey: 'u' }));
    await one.engine.cancel([id], 'enough');
    expect(await one.engine.requeue([id], { payload: '{"n":2}', priority: 9 })).toEqual(['requeued']);
    expect(await one.reader.getTasks([id])).toMatchObject([{ payload: '{"n":2}', priority: 9, status: 'pending' }]);
  });
});
