import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ConnectedEngine } from '#queue/engine/connect';
import type { FeedItem, TaskChange } from '#queue/engine/ports';
import { claimOne, connectTo, failure, submitOne, workOnce } from '../support/engine';
import { type RedisServer, startRedis } from '../support/redis-server';

let server: RedisServer;
let connected: ConnectedEngine;
const stopping = { current: new AbortController() };

beforeEach(async () => {
  server = await startRedis();
  connected = connectTo(server);
  await connected.whenReady(5000);
  stopping.current = new AbortController();
});
afterEach(async () => {
  stopping.current.abort();
  await connected?.close();
  await server?.stop();
});

async function follow() {
  const items: FeedItem[] = [];
  const { signal } = stopping.current;
  await new Promise<void>((ready) => void connected.feed.follow((item) => items.push(item), signal, ready));
  const changes = (): TaskChange[] => items.flatMap((item) => (item.kind === 'changes' ? item.changes : []));
  return { items, changes };
}

it('tells every transition of a task, of queues that are new as well', async () => {
  const { changes, items } = await follow();
  const id = await submitOne(connected, { queue: 'fresh', priority: 8, maxRetries: 1 });
  const first = await claimOne(connected, { queue: 'fresh' });
  await connected.engine.report('fresh', [
    { id, token: first.token, progress: { percent: 40, message: 'half, | way' }, logs: [] },
  ]);
  await workOnce(connected, {
    queue: 'fresh',
    want: 0,
    settles: [{ kind: 'fail', id, token: first.token, retryInMs: 0, error: failure('a | b', 'OddError') }],
  });
  const second = await claimOne(connected, { queue: 'fresh' });
  await workOnce(connected, {
    queue: 'fresh',
    want: 0,
    settles: [{ kind: 'complete', id, token: second.token, result: '1' }],
  });
  await expect
    .poll(() => changes().map((change) => change.event))
    .toEqual(['created', 'started', 'progress', 'retrying', 'started', 'completed']);
  expect(changes()[0]).toMatchObject({
    id,
    queue: 'fresh',
    status: 'pending',
    priority: 8,
    type: 'noop',
    maxRetries: 1,
  });
  expect(changes()[2]).toMatchObject({ progress: 40, progressMessage: 'half, | way' });
  expect(changes()[3]).toMatchObject({
    status: 'retrying',
    error: { name: 'OddError', fingerprint: 'abcdef12' },
    attempts: 1,
    workerId: 'w1',
  });
  expect(items.every((item) => item.kind === 'changes')).toBe(true);
});

it("tells a task's own number of retries, also after a requeue has given it a new budget of attempts", async () => {
  const { changes } = await follow();
  const id = await submitOne(connected, { queue: 'fresh', maxRetries: 1 });
  await connected.engine.cancel([id], 'test');
  await connected.engine.requeue([id]);
  const task = await claimOne(connected, { queue: 'fresh' });
  const settles = [{ kind: 'dead', id, token: task.token, error: failure() }] as const;
  await workOnce(connected, { queue: 'fresh', want: 0, settles });
  await connected.engine.requeue([id]);
  await connected.engine.patch(id, { name: 'again' });
  await connected.engine.patch(id, { maxRetries: 3 });
  await expect
    .poll(() => changes().map(({ event, maxRetries }) => [event, maxRetries]))
    .toEqual([
      ['created', 1],
      ['cancelled', undefined],
      ['requeued', undefined],
      ['started', undefined],
      ['failed', undefined],
      ['requeued', undefined],
      ['updated', 1],
      ['updated', 3],
    ]);
  expect((await connected.reader.getTasks([id]))[0]?.maxRetries).toBe(3);
});

it('says so when events were lost to it', async () => {
  await submitOne(connected);
  const { items } = await follow();
  await expect
    .poll(async () => {
      await submitOne(connected);
      return items.length;
    })
    .toBeGreaterThan(0);
  await connected.store.command('tamper', (redis) => redis.hincrby(connected.store.keys.meta('default'), 'events', 5));
  await submitOne(connected);
  await expect.poll(() => items.find((item) => item.kind === 'gap')).toMatchObject({ queue: 'default' });
});

it('goes on by itself when Redis was away', async () => {
  await submitOne(connected);
  const { changes } = await follow();
  await expect
    .poll(async () => {
      await submitOne(connected);
      return changes().length;
    })
    .toBeGreaterThan(0);
  server.kill9();
  await server.restart();
  const id = await submitOne(connected);
  await expect.poll(() => changes().some((change) => change.id === id), { timeout: 10_000 }).toBe(true);
});

it('does not look for queues with every change that it reads', async () => {
  await follow();
  const calls = async (command: string) => {
    const stats = await connected.store.command('stats', (redis) => redis.info('commandstats'));
    return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  };
  const [looks, reads] = [await calls('xrevrange'), await calls('xread')];
  await expect
    .poll(
      async () => {
        await submitOne(connected);
        return (await calls('xread')) - reads;
      },
      { interval: 5, timeout: 15_000 },
    )
    .toBeGreaterThan(20);
  expect((await calls('xrevrange')) - looks).toBeLessThan(10);
});
