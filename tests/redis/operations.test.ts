import { afterEach, beforeEach, expect, it } from 'vitest';
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

it('goes on in another process when its carrier is gone', async () => {
  await bury(20);
  const { id } = await connected.operations.start(request());
  const other = connectTo(server);
  await other.carrier.start();
  expect(await ended(id)).toMatchObject({ done: 20 });
  await other.close();
});
