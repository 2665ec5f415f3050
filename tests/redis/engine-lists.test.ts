import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectedEngine } from '#queue/engine/connect';
import type { ReadFilter } from '#queue/engine/ports';
import { connectTo, failure, submitAll, workOnce } from '../support/engine';
import { type RedisServer, startRedis } from '../support/redis-server';

let server: RedisServer;
let connected: ConnectedEngine;
let ids: string[];

/** 40 tasks over two queues and two types; the first ten of `default` fail, the next ten complete. */
beforeAll(async () => {
  server = await startRedis();
  connected = connectTo(server);
  await connected.whenReady(5000);
  ids = await submitAll(
    connected,
    Array.from({ length: 40 }, (_, index) => ({
      queue: index < 30 ? 'default' : 'side',
      type: index % 2 === 0 ? 'noop' : 'other',
      name: index % 10 === 3 ? `Report ${index}` : null,
      tags: index % 5 === 0 ? ['five'] : [],
      owner: index < 5 ? 'ada' : null,
      payload: JSON.stringify({ index, word: index === 17 ? 'Needle "in" hay' : 'hay' }),
    })),
  );
  const { claimed } = await workOnce(connected, { want: 20 });
  await workOnce(connected, {
    want: 0,
    settles: claimed.map(({ id, token }, index) =>
      index < 10
        ? {
            kind: 'dead',
            id,
            token,
            error: failure(`no route ${index % 2}`, 'RouteError', index % 2 ? 'aaaaaaaa' : 'bbbbbbbb'),
          }
        : { kind: 'complete', id, token, result: '1' },
    ),
  });
});
afterAll(async () => {
  await connected?.close();
  await server?.stop();
});

/** All pages of a filter, `limit` at a time, as indexes of the submitted tasks. */
async function walk(filter: ReadFilter, limit = 7) {
  const found: number[] = [];
  let cursor: string | null = null;
  let total = 0;
  for (let pages = 0; pages < 50; pages++) {
    const page = await connected.reader.listTasks(filter, { limit, cursor });
    found.push(...page.tasks.map((task) => ids.indexOf(task.id)));
    total = page.total;
    cursor = page.nextCursor;
    expect(page.tasks.length).toBeLessThanOrEqual(limit);
    if (cursor === null) return { found, total };
  }
  throw new Error('the pages never end');
}

const range = (from: number, to: number, keep: (index: number) => boolean = () => true) =>
  Array.from({ length: to - from }, (_, index) => from + index)
    .filter(keep)
    .reverse();
const sorted = (list: number[]) => [...list].sort((a, b) => b - a);

describe('lists of tasks', () => {
  it('without a filter are all tasks of all queues, newest first, each once', async () => {
    expect(await walk({})).toEqual({ found: range(0, 40), total: 40 });
  });

  it('by queue, type, tag and owner come from their index, newest first, with an exact total', async () => {
    expect(await walk({ queue: 'side' })).toEqual({ found: range(30, 40), total: 10 });
    expect(await walk({ task_type: 'other' })).toEqual({ found: range(0, 40, (i) => i % 2 === 1), total: 20 });
    expect(await walk({ tag: 'five' })).toEqual({ found: range(0, 40, (i) => i % 5 === 0), total: 8 });
    expect(await walk({ owner: 'ada' })).toEqual({ found: range(0, 5), total: 5 });
  });

  it('by status page through every task once, also where many share a score', async () => {
    for (const [status, expected] of [
      ['failed', range(0, 10)],
      ['completed', range(10, 20)],
      ['pending', range(20, 40)],
    ] as const) {
      const { found, total } = await walk({ status: [status] }, 3);
      expect(sorted(found)).toEqual(expected);
      expect(total).toBe(expected.length);
    }
    const due = Date.now() + 3_600_000;
    const later = await submitAll(
      connected,
      Array.from({ length: 9 }, () => ({ runAt: due })),
    );
    const { found } = await walk({ status: ['scheduled'] }, 2);
    expect(found).toHaveLength(9);
    expect(await connected.engine.remove(later)).toEqual(later.map(() => 'removed'));
  });

  it('by several filters at once give what fits all of them', async () => {
    expect((await walk({ status: ['failed', 'completed'], task_type: 'noop' })).found).toEqual(
      range(0, 20, (i) => i % 2 === 0),
    );
    expect((await walk({ status: ['pending'], tag: 'five', queue: 'side' })).found).toEqual([35, 30]);
    expect((await walk({ task_type: 'email' })).found).toEqual([]);
  });

  it('find failures by fingerprint and by text of the error', async () => {
    expect(sorted((await walk({ error: 'aaaaaaaa' })).found)).toEqual(range(0, 10, (i) => i % 2 === 1));
    expect(sorted((await walk({ error: 'ROUTE 0' })).found)).toEqual(range(0, 10, (i) => i % 2 === 0));
    expect((await walk({ error: 'no such text' })).found).toEqual([]);
  });

  it('find by id, by the beginning of a name whatever its case, and by text in the payload', async () => {
    expect((await walk({ q: ids[5] ?? '' })).found).toEqual([5]);
    expect(sorted((await walk({ q: 'rEPORT' }, 2)).found)).toEqual([33, 23, 13, 3]);
    expect((await walk({ q: 'needle "in"' })).found).toEqual([17]);
  });

  it('keep to since and until', async () => {
    const [first, last] = await connected.reader.getTasks([ids[0] ?? '', ids[39] ?? '']);
    expect((await walk({ until: first?.createdAt ?? 0 })).found).toEqual([]);
    expect((await walk({ since: (last?.createdAt ?? 0) + 1 })).found).toEqual([]);
    expect((await walk({ since: 0, until: (last?.createdAt ?? 0) + 1 })).found).toEqual(range(0, 40));
  });

  it('refuse a cursor that they did not give', async () => {
    await expect(connected.reader.listTasks({}, { limit: 1, cursor: 'nonsense' })).rejects.toMatchObject({
      code: 'INVALID',
    });
  });

  it('group failures by fingerprint', async () => {
    expect(await connected.reader.errorGroups()).toMatchObject([
      { count: 5, error: expect.stringContaining('RouteError: no route'), queues: ['default'] },
      { count: 5, error: expect.stringContaining('RouteError: no route') },
    ]);
  });
});

describe('a page over many queues', () => {
  /** Reads of records and histories: one GETRANGE for a task, and one more where it has a history. */
  async function reads(run: () => Promise<unknown>): Promise<number> {
    const count = async () => {
      const stats = await connected.store.command('stats', (redis) => redis.info('commandstats'));
      return Number(/cmdstat_getrange:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    const before = await count();
    await run();
    return (await count()) - before;
  }

  it.each([{ queue: ['default', 'side'] }, { task_type: 'other' }, { tag: 'five' }, { status: ['pending' as const] }])(
    'of %j reads the records that it shows, and no more',
    async (filter) => {
      const page = await connected.reader.listTasks(filter, { limit: 6, cursor: null });
      expect(page.tasks).toHaveLength(6);
      const waiting = page.tasks.filter(({ status }) => status === 'pending').length;
      expect(await reads(() => connected.reader.listTasks(filter, { limit: 6, cursor: null }))).toBe(12 - waiting);
    },
  );
});
