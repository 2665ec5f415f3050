/** What a submit waits for: the disk, or a replica. Before it is answered, both are looked at from outside. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { submitOne } from '../support/engine';
import { waitFor } from '../support/millrace-process';
import { type RealApi, startApi } from '../support/real-api';
import { type RedisServer, startRedis } from '../support/redis-server';
import { ask, infoOf } from '../support/redis-topologies';

let redis: RedisServer;
let api: RealApi;
let others: RedisServer[];

beforeEach(async () => {
  others = [];
  redis = await startRedis({ args: ['--repl-diskless-sync', 'no'] });
  api = await startApi(redis);
});
afterEach(async () => {
  await api?.stop();
  await Promise.all([redis, ...others].map((server) => server?.stop()));
});

async function replica(): Promise<RedisServer> {
  const server = await startRedis({ args: ['--replicaof', redis.host, String(redis.port)] });
  others.push(server);
  await waitFor('the replica to follow', async () =>
    (await infoOf(server, 'master_link_status')) === 'up' ? true : null,
  );
  return server;
}

const submit = (task: Record<string, unknown>) => api.call('POST', '/api/tasks', { task_type: 'noop', ...task });
const has = async (server: RedisServer, id: string, queue = 'default') =>
  (await ask(server, 'EXISTS', `mr:{${queue}}:t:${id}`)) === '1';
const total = async () => (await api.call('GET', '/api/tasks')).body.total;

describe('fsync', () => {
  it('is answered where Redis syncs every write before it answers', async () => {
    await ask(redis, 'CONFIG', 'SET', 'appendfsync', 'always');
    const { status, body } = await submit({ durability: 'fsync' });
    expect(status).toBe(201);
    expect(await has(redis, body.id)).toBe(true);
  });

  it.each([
    [['appendfsync', 'everysec'], 'set appendfsync always'],
    [['appendonly', 'no'], 'set appendonly yes'],
  ])('is refused with %s on Redis 7.0, and nothing is stored', async (setting, remedy) => {
    await ask(redis, 'CONFIG', 'SET', ...setting);
    const { status, body } = await submit({ durability: 'fsync' });
    expect([status, body.code, body.detail]).toEqual([503, 'NOT_DURABLE', expect.stringContaining(remedy)]);
    expect(await total()).toBe(0);
  });
});

describe('replicated', () => {
  it('is answered when a replica has the task', async () => {
    const copy = await replica();
    const { status, body } = await submit({ durability: 'replicated' });
    expect(status).toBe(201);
    expect(await has(copy, body.id)).toBe(true);
  });

  it('is refused at once where there is no replica, and nothing is stored', async () => {
    const { status, body } = await submit({ durability: 'replicated' });
    expect([status, body.code]).toEqual([503, 'NOT_DURABLE']);
    expect(body.detail).toContain('has no replica');
    expect(await total()).toBe(0);
  });

  it('tells where the replica does not confirm, keeps the task, and a repeat by key waits again', async () => {
    const copy = await replica();
    process.kill(copy.pid, 'SIGSTOP');
    const task = { durability: 'replicated', idempotency_key: 'order-1' };
    const { status, body } = await submit(task);
    expect([status, body.code]).toEqual([503, 'NOT_DURABLE']);
    expect(body.detail).toContain('no replica confirmed it within 1 s');
    expect((await api.call('GET', `/api/tasks/${body.task_id}`)).body.status).toBe('pending');
    process.kill(copy.pid, 'SIGCONT');
    const again = await submit(task);
    expect([again.status, again.body.id]).toEqual([200, body.task_id]);
    expect(await has(copy, body.task_id)).toBe(true);
    // who asks for less after all is answered for the same task
    expect((await submit({ ...task, durability: 'memory' })).status).toBe(200);
    expect(await total()).toBe(1);
  });

  it('holds nobody up who asked for less', async () => {
    const copy = await replica();
    process.kill(copy.pid, 'SIGSTOP');
    let waits = true;
    const slow = submit({ durability: 'replicated' }).finally(() => (waits = false));
    await waitFor('it to be stored', async () => ((await total()) === 1 ? true : null));
    const { status } = await submit({});
    expect([status, waits]).toEqual([201, true]);
    expect((await slow).status).toBe(503);
    process.kill(copy.pid, 'SIGCONT');
  });
});

describe("the queue's level", () => {
  const setLevel = (durability: string | null) => api.call('PUT', '/api/queues/default/limits', { durability });

  it('holds for submits that name none, and is heeded by processes that knew another one', async () => {
    const { id } = (await submit({})).body; // this process knows: memory
    const other = await startApi(redis);
    await other.call('PUT', '/api/queues/default/limits', { durability: 'replicated' });
    await other.stop();
    const first = await submit({});
    expect([first.status, first.body.code]).toEqual([503, 'NOT_DURABLE']);
    expect(first.body.task_id).not.toBe(id); // it was stored before the level was heard of, and that is said
    expect(await total()).toBe(2);
    expect((await submit({})).body.task_id).toBeUndefined(); // now it is known before
    expect((await submit({ durability: 'memory' })).status).toBe(201);
    expect(await total()).toBe(3);
    const copy = await replica();
    expect(await has(copy, await submitOne(api.connected))).toBe(true);
    await copy.stop();
    await ask(redis, 'HDEL', 'mr:{default}:meta', 'durability'); // another process takes it back
    expect((await submit({})).status).toBe(201);
  });

  it('is told with the limits, and null takes it back', async () => {
    expect((await setLevel('replicated')).body.limits.durability).toBe('replicated');
    expect((await submit({})).status).toBe(503);
    expect((await setLevel(null)).body.limits.durability).toBe(null);
    expect((await submit({})).status).toBe(201);
    expect((await setLevel('soon')).status).toBe(422);
  });
});

it('answers a bulk request task by task', async () => {
  const { status, body } = await api.call('POST', '/api/tasks/bulk', {
    tasks: [{ task_type: 'noop' }, { task_type: 'noop', durability: 'replicated' }, { task_type: 'noop' }],
  });
  expect(status).toBe(201);
  expect(body).toMatchObject({ accepted: 2, rejected: 1, ids: [expect.any(String), null, expect.any(String)] });
  expect(body.errors).toEqual([{ index: 1, message: expect.stringContaining('has no replica') }]);
});
