import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '#queue/contract/limits';
import type { ConnectedEngine } from '#queue/engine/connect';
import type { ReadFilter } from '#queue/engine/ports';
import { connectTo, failure, submitAll, workOnce } from '../support/engine';
import { type RedisServer, startRedis } from '../support/redis-server';

let server: RedisServer;
let connected: ConnectedEngine;
let ids: string[];

/** Claimed by `workerId`, then ended as asked, in the order of submission. */
async function run(workerId: string, ends: readonly ('dead' | 'fail' | 'complete')[], types: readonly string[]) {
  const { claimed } = await workOnce(connected, { want: ends.length, workerId, types });
  const settles = claimed.map(({ id, token }, index) => {
    const error = failure('read ECONNRESET', 'Error', 'abcdef12');
    if (ends[index] === 'complete') return { kind: 'complete' as const, id, token, result: '1' };
    if (ends[index] === 'dead') return { kind: 'dead' as const, id, token, error };
    return { kind: 'fail' as const, id, token, retryInMs: 3_600_000, error };
  });
  await workOnce(connected, { want: 0, workerId, settles, types });
}

beforeAll(async () => {
  server = await startRedis();
  connected = connectTo(server);
  await connected.whenReady(5000);
  ids = await submitAll(connected, [
    { type: 'charge.capture', payload: '{"order":{"id":1}}', tags: ['tenant-42'], owner: 'ada' },
    { type: 'charge.refund', payload: '{"order":{"id":2}}' },
    { type: 'charge.void', payload: '{"order":{"id":3}}', priority: 2 },
    { type: 'email.send', queue: 'emails', payload: '{"order":{"id":1}}', tags: ['tenant-7', 'web'] },
    { type: 'email.send', queue: 'emails' },
  ]);
  await run('web-3/a', ['dead', 'fail', 'complete'], ['charge.capture', 'charge.refund', 'charge.void']);
});
afterAll(async () => {
  await connected?.close();
  await server?.stop();
});

async function find(filter: ReadFilter, limit = 50) {
  const { tasks, ...page } = await connected.reader.listTasks(filter, { limit, cursor: null });
  return { ...page, found: tasks.map(({ id }) => ids.indexOf(id)).sort() };
}

describe('filters that an index serves', () => {
  it('take several types and the beginning of types', async () => {
    expect(await find({ task_type: 'charge.*' })).toMatchObject({
      found: [0, 1, 2],
      total: 3,
      totalExact: true,
      scanned: null,
    });
    expect(await find({ task_type: ['email.send', 'charge.v*'] })).toMatchObject({ found: [2, 3, 4], total: 3 });
    expect(await find({ task_type: '*' })).toMatchObject({ found: [0, 1, 2, 3, 4], totalExact: true });
    expect(await find({ task_type: 'nothing.*' })).toMatchObject({ found: [], total: 0 });
    expect(await find({ queue: ['emails', 'nobody'] })).toMatchObject({ found: [3, 4], total: 2, totalExact: true });
  });

  it('find errors of failed, retrying and processing tasks, and of one status where it is named', async () => {
    expect((await find({ error: 'ECONN' })).found).toEqual([0, 1]);
    expect((await find({ error: 'abcdef12' })).found).toEqual([0, 1]);
    expect(await find({ error: 'abcdef12', status: ['failed'] })).toMatchObject({
      found: [0],
      total: 1,
      totalExact: true,
    });
    expect((await find({ error: 'ECONN', status: ['retrying'] })).found).toEqual([1]);
    expect((await find({ error: 'nothing of the kind' })).found).toEqual([]);
  });

  it('leave an operation the failed ones, unless it names a status', async () => {
    const request = {
      action: 'delete' as const,
      ids: null,
      limit: null,
      rate: null,
      priority: null,
      expectedCount: null,
    };
    const planned = async (filter: object) =>
      (await connected.operations.plan({ ...request, filter, by: 'me' })).matched;
    expect(await planned({ error: 'ECONN' })).toBe(1);
    expect(await planned({ error: 'ECONN', status: ['failed', 'retrying'] })).toBe(2);
  });
});

describe('filters that look at tasks', () => {
  it('tell how many they have looked at', async () => {
    expect(await find({ payload: ['order.id:1'] })).toMatchObject({ found: [0, 3], totalExact: false, scanned: 5 });
    expect(await find({ worker: 'web-3/*' })).toMatchObject({ found: [0, 1, 2], scanned: 5 });
    expect((await find({ attempts_min: 1, priority: [5] })).found).toEqual([0, 1]);
    expect((await find({ run_min: 0 })).found).toEqual([0, 1, 2]);
    expect((await find({ run_min: 60 })).found).toEqual([]);
  });

  it('use an index for the rest of the filter', async () => {
    expect(await find({ payload: ['order.id:1'], task_type: 'email.*' })).toMatchObject({ found: [3], scanned: 2 });
  });
});

it('a cursor of another filter is refused, not an error of the server', async () => {
  const { nextCursor } = await find({ task_type: 'charge.*' }, 1);
  const other = connected.reader.listTasks({ status: ['failed'] }, { limit: 1, cursor: nextCursor });
  await expect(other).rejects.toMatchObject({ code: 'INVALID' });
});

describe('completions', () => {
  const suggest = async (...asked: Parameters<ConnectedEngine['reader']['suggest']>) =>
    (await connected.reader.suggest(...asked)).map(({ value, label, count }) => [value, count, label]);

  it('come with counts, the most frequent first', async () => {
    expect(await suggest('type', '')).toEqual([
      ['email.send', 2, null],
      ['charge.capture', 1, null],
      ['charge.refund', 1, null],
      ['charge.void', 1, null],
    ]);
    expect(await suggest('type', 'charge.R')).toEqual([['charge.refund', 1, null]]);
    expect(await suggest('queue', '')).toEqual([
      ['default', 3, null],
      ['emails', 2, null],
    ]);
    expect(await suggest('tag', 'tenant')).toEqual([
      ['tenant-42', 1, null],
      ['tenant-7', 1, null],
    ]);
    expect(await suggest('owner', 'a')).toEqual([['ada', 1, null]]);
    expect(await suggest('error', 'econn')).toEqual([['abcdef12', 1, 'Error: read ECONNRESET']]);
  });

  it('are bounded', async () => {
    const types = Array.from({ length: LIMITS.suggestions + 5 }, (_, n) => ({ type: `many${n}`, queue: 'many' }));
    const many = await submitAll(connected, types);
    expect(await suggest('type', 'many')).toHaveLength(LIMITS.suggestions);
    await connected.engine.remove(many);
  });

  it('look at a bounded number of indexes, however many queues and tags there are', async () => {
    const wide = Array.from({ length: 150 }, (_, n) => ({
      queue: `wide${n}`,
      tags: ['common', `a${n}`, `b${n}`, `c${n}`],
    }));
    const many = await submitAll(connected, wide);
    const counted = async () =>
      connected.store.command('stats', async (redis) => {
        const stats = await redis.info('commandstats');
        return Number(/^cmdstat_zcard:calls=(\d+)/m.exec(stats)?.[1] ?? 0);
      });
    const before = await counted();
    expect((await suggest('tag', ''))[0]).toEqual(['common', 150, null]);
    // To count the values, and to find the newest tasks.
    expect((await counted()) - before).toBeLessThanOrEqual(2 * LIMITS.scanRecords);
    await connected.engine.remove(many);
  });
});

it('several statuses that are few among very many tasks are found without looking at all of those', async () => {
  const many = await submitAll(
    connected,
    Array.from({ length: LIMITS.scanRecords }, () => ({ queue: 'bulk' })),
  );
  const found: string[] = [];
  let cursor: string | null = null;
  for (let pages = 0; pages < 4; pages++) {
    const page = await connected.reader.listTasks({ status: ['failed', 'retrying'] }, { limit: 1, cursor });
    found.push(...page.tasks.map(({ id }) => id));
    expect(page).toMatchObject({ total: 2, totalExact: true });
    cursor = page.nextCursor;
    if (cursor === null) break;
  }
  expect(found).toEqual([ids[0], ids[1]]);
  expect(await connected.engine.purge('bulk')).toBe(many.length);
});

it('knows queues and types with the names of what every object has', async () => {
  const names = ['constructor', 'toString', 'valueOf', 'hasOwnProperty'];
  const odd = await submitAll(
    connected,
    names.map((queue) => ({ queue, type: 'constructor', tags: ['odd'] })),
  );
  await connected.engine.cancel(odd, 'odd');
  const found: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await connected.reader.listTasks({ status: ['cancelled'], queue: names }, { limit: 3, cursor });
    found.push(...page.tasks.map(({ queue }) => queue));
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(found.sort()).toEqual([...names].sort());
  const plan = await connected.operations.plan({
    action: 'requeue',
    filter: null,
    ids: odd,
    limit: null,
    rate: null,
    priority: null,
    expectedCount: null,
    by: 'me',
  });
  expect([plan.by_queue, plan.by_task_type]).toEqual([
    Object.fromEntries(names.map((name) => [name, 1])),
    { constructor: 4 },
  ]);
});
