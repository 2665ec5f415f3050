import { afterEach, beforeEach, expect, it } from 'vitest';
import { LIMITS } from '#queue/contract/limits';
import type { ConnectedEngine } from '#queue/engine/connect';
import type { OperationRequest } from '#queue/engine/operations';
import { connectTo, failure, submitAll, workOnce } from '../support/engine';
import { type RedisServer, startRedis } from '../support/redis-server';

let server: RedisServer;
let connected: ConnectedEngine;

beforeEach(async () => {
  server = await startRedis();
  connected = connectTo(server);
  await connected.whenReady(5000);
});
afterEach(async () => {
  await connected?.close();
  await server?.stop();
});

async function bury(count: number): Promise<string[]> {
  const ids = await submitAll(
    connected,
    Array.from({ length: count }, () => ({})),
  );
  const { claimed } = await workOnce(connected, { want: count });
  await workOnce(connected, {
    want: 0,
    settles: claimed.map(({ id, token }) => ({ kind: 'dead', id, token, error: failure() })),
  });
  return ids;
}

const request = (change: Partial<OperationRequest> = {}): OperationRequest => ({
  action: 'requeue',
  ids: null,
  filter: { status: 'failed' },
  limit: null,
  rate: null,
  priority: null,
  expectedCount: null,
  by: 'test',
  ...change,
});

const ended = async (id: string) => {
  await expect.poll(async () => (await connected.operations.get(id))?.state, { timeout: 10_000 }).toBe('done');
  return connected.operations.get(id);
};

it('requeues everything that a filter matches, and counts it', async () => {
  await bury(450);
  await connected.carrier.start();
  const { id, matched } = await connected.operations.start(request());
  expect(matched).toBe(450);
  expect(await ended(id)).toMatchObject({ done: 450, skipped: 0, failed: 0 });
  expect((await connected.reader.queueState('default'))?.counts).toMatchObject({ failed: 0, pending: 450 });
});

it('plans without changing anything', async () => {
  await bury(30);
  const plan = await connected.operations.plan(request({ limit: 25 }));
  expect(plan).toMatchObject({
    matched: 25,
    by_queue: { default: 25 },
    by_task_type: { noop: 25 },
    by_error: { 'Error: boom': 25 },
  });
  expect(plan.samples).toHaveLength(20);
  expect((await connected.reader.queueState('default'))?.counts.failed).toBe(30);
});

it('refuses a selection that has changed by more than a tenth', async () => {
  await bury(20);
  await expect(connected.operations.start(request({ expectedCount: 15 }))).rejects.toMatchObject({
    code: 'COUNT_CHANGED',
  });
  expect(await connected.operations.start(request({ expectedCount: 19 }))).toMatchObject({ matched: 20 });
});

it('can be paused, resumed and aborted, keeps to its rate, and skips what has moved on', async () => {
  const ids = await bury(40);
  await connected.carrier.start();
  const { id } = await connected.operations.start(request({ ids, filter: null, rate: 8 }));
  await expect.poll(async () => (await connected.operations.get(id))?.done ?? 0).toBeGreaterThan(1);
  expect(await connected.operations.pause(id)).toMatchObject({ state: 'paused' });
  await connected.engine.remove(ids.slice(30));
  expect(await connected.operations.resume(id)).toMatchObject({ state: 'running' });
  expect(await connected.operations.abort(id)).toMatchObject({ state: 'aborted' });
  await expect(connected.operations.resume(id)).rejects.toMatchObject({ code: 'CONFLICT' });
  const again = await connected.operations.start(request({ ids, filter: null }));
  const end = await ended(again.id);
  expect(end?.skipped).toBeGreaterThanOrEqual(10);
  expect((end?.done ?? 0) + (end?.skipped ?? 0)).toBe(40);
});

it('carries out others while one goes slowly', async () => {
  const ids = await bury(40);
  await connected.carrier.start();
  const slow = await connected.operations.start(request({ ids: ids.slice(0, 20), filter: null, rate: 1 }));
  await expect.poll(async () => (await connected.operations.get(slow.id))?.done ?? 0).toBeGreaterThan(0);
  const quick = await connected.operations.start(request({ ids: ids.slice(20), filter: null }));
  expect(await ended(quick.id)).toMatchObject({ done: 20 });
  expect(await connected.operations.get(slow.id)).toMatchObject({ state: 'running' });
});

it('carries out so many at the same time, and one more when one of them is over', async () => {
  const ids = await bury(LIMITS.operationsAtOnce + 1);
  await connected.carrier.start();
  const begun: string[] = [];
  // Each has two tasks and pauses for long after the first; only the ids tell them apart.
  for (const id of ids)
    begun.push((await connected.operations.start(request({ ids: [id, ids[0] ?? ''], filter: null, rate: 0.1 }))).id);
  const [last = '', first = ''] = [begun.at(-1), begun[0]];
  const handled = async (id: string) => {
    const operation = await connected.operations.get(id);
    return (operation?.done ?? 0) + (operation?.skipped ?? 0);
  };
  await expect.poll(async () => (await Promise.all(begun.slice(0, -1).map(handled))).every((n) => n > 0)).toBe(true);
  expect(await handled(last)).toBe(0);
  await connected.operations.abort(first);
  await expect.poll(() => handled(last), { timeout: 15_000 }).toBeGreaterThan(0);
});

it('goes on in another process when its carrier is gone', async () => {
  await bury(20);
  const { id } = await connected.operations.start(request());
  const other = connectTo(server);
  await other.carrier.start();
  expect(await ended(id)).toMatchObject({ done: 20 });
  await other.close();
});

it('remembers the newest that it passed over, and why', async () => {
  const ids = await bury(LIMITS.operationRecent + 15);
  const [unique = ''] = await submitAll(connected, [{ uniqueKey: 'k', type: 'other', maxRetries: 0 }]);
  const { claimed } = await workOnce(connected, { types: ['other'] });
  const settles = claimed.map(({ id, token }) => ({ kind: 'dead' as const, id, token, error: failure() }));
  await workOnce(connected, { settles, want: 0 });
  await submitAll(connected, [{ uniqueKey: 'k', type: 'other' }]);
  const { id } = await connected.operations.start(request({ ids: [...ids, unique], filter: null }));
  await connected.engine.requeue(ids.slice(0, 10));
  await connected.engine.remove(ids.slice(10));
  await connected.carrier.start();
  const end = await ended(id);
  expect(end).toMatchObject({ done: 0, skipped: ids.length, failed: 1, eta_seconds: null });
  expect(end?.recent).toHaveLength(LIMITS.operationRecent);
  expect(end?.recent?.slice(0, 2)).toEqual([
    { id: unique, outcome: 'failed', detail: 'another live task holds its unique key' },
    { id: ids.at(-1), outcome: 'skipped', detail: 'it has been removed' },
  ]);
  const again = await connected.operations.start(request({ ids: ids.slice(0, 2), filter: null }));
  expect((await ended(again.id))?.recent).toMatchObject([
    { id: ids[1], outcome: 'skipped', detail: 'it is neither failed nor cancelled any more' },
    { id: ids[0] },
  ]);
  expect((await connected.operations.list()).map((operation) => operation.recent)).toEqual([undefined, undefined]);
});

it('estimates how long it still takes, while it runs', async () => {
  await bury(40);
  const { id, eta_seconds } = await connected.operations.start(request({ rate: 8 }));
  expect(eta_seconds).toBe(5);
  await connected.carrier.start();
  await expect.poll(async () => (await connected.operations.get(id))?.done ?? 0).toBeGreaterThan(1);
  const running = await connected.operations.get(id);
  expect(running?.eta_seconds).toBeCloseTo((40 - (running?.done ?? 0)) / 8);
  expect((await connected.operations.pause(id))?.eta_seconds).toBeNull();
  expect((await connected.operations.abort(id))?.eta_seconds).toBeNull();
});
