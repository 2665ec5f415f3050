/** Servers and workers of the version before beside those of today: both ways, mixed, and over to the other and back. */
import { expect, it } from 'vitest';
import type { Task } from '#queue/contract/task';
import { type TestApi, waitFor } from '../support/millrace-process';
import { type Build, listed, load, MixedFleet, someOfEach } from '../support/mixed-fleet';

const STEPS = { task_type: 'steps', payload: { ms: 0, failures: 0 } };
const FAR = { run_at: '2100-01-01T00:00:00Z' };

it.each<[Build, Build]>([
  ['before', 'now'],
  ['now', 'before'],
])('every kind of task ends as it should with the server of %s and workers of %s', async (ofServer, ofWorkers) => {
  await using fleet = await MixedFleet.start();
  const { api, stream } = await fleet.server(ofServer);
  await fleet.worker(ofWorkers);
  const { world } = fleet;
  const make = async (body: object) => {
    const task = await api.submit({ ...STEPS, backoff: { base: 0.1 }, ...body });
    world.accepted.add(task.id);
    return task;
  };
  const tasks: [task: Task, status: Task['status'], attempts: number][] = [];
  const plain = await make({});
  for (const [body, status, attempts] of [
    [{}, 'completed', 1],
    [{ payload: { ms: 0, failures: 2 } }, 'completed', 3],
    [{ payload: { ms: 0, failures: 9 }, max_retries: 1 }, 'failed', 2],
    [{ run_at: new Date(Date.now() + 1000).toISOString() }, 'completed', 1],
    [{ depends_on: [plain.id] }, 'completed', 1],
    [{ unique_key: 'one', idempotency_key: 'one' }, 'completed', 1],
    [{ payload: { ms: 300, failures: 0 }, timeout: 0.1, max_retries: 0 }, 'failed', 1],
  ] as const)
    tasks.push([await make(body), status, attempts]);
  const gated = await make({ task_type: 'gated', payload: world.payload() });
  await api.until(gated.id, 'processing');
  expect((await api.call('POST', `/api/tasks/${gated.id}/cancel`, {})).status).toBeLessThan(300);
  tasks.push([gated, 'cancelled', 1]);
  for (const [task, status, attempts] of tasks) {
    const ended = await api.until(task.id, status);
    expect([task.id, ended.attempts]).toEqual([task.id, attempts]);
    await waitFor('its end in the stream', () =>
      stream.tasks.some(({ task: { id, status: told } }) => id === task.id && told === status) ? true : null,
    );
  }
  const half = stream.tasks.filter(({ task, event }) => event === 'progress' && task.progress_message === 'half way');
  expect(half.length).toBeGreaterThan(0);
  expect(fleet.oddFrames).toEqual([]);
  expect(await world.violations()).toEqual([]);
});

it.each<[Build, Build]>([
  ['before', 'now'],
  ['now', 'before'],
])('what the server of %s has written, the one of %s lists, reads, changes, requeues and cancels', async (one, two) => {
  await using fleet = await MixedFleet.start();
  const [a, b] = [(await fleet.server(one)).api, (await fleet.server(two)).api];
  await fleet.worker(one);
  const { world } = fleet;
  const make = async (body: object) => {
    const task = await a.submit({ ...STEPS, name: 'of a', tags: ['a'], ...body });
    world.accepted.add(task.id);
    return task;
  };
  const done = await make({});
  const dead = await make({ payload: { ms: 0, failures: 1 }, max_retries: 0 });
  const later = await make(FAR);
  const keyed = await make({ ...FAR, unique_key: 'k', idempotency_key: 'i' });
  const behind = await make({ depends_on: [later.id] });
  const gated = await make({ task_type: 'gated', payload: world.payload() });
  await a.until(gated.id, 'processing');
  await a.until(done.id, 'completed');
  await a.until(dead.id, 'failed');

  const all = [done, dead, later, keyed, behind, gated].map(({ id }) => id).sort();
  for (const query of ['limit=50', 'tag=a', 'task_type=steps&tag=a', 'status=failed', 'status=blocked', 'q=of'])
    expect([query, await listed(b, query)]).toEqual([query, await listed(a, query)]);
  expect((await listed(b, 'tag=a')).sort()).toEqual(all);
  for (const id of all) {
    expect(await b.task(id)).toEqual(await a.task(id));
    for (const part of ['history', 'logs']) expect(await told(b, id, part)).toEqual(await told(a, id, part));
  }

  expect((await b.call('PATCH', `/api/tasks/${later.id}`, { priority: 9, tags: ['b'], name: 'of b' })).status).toBe(
    200,
  );
  expect(await a.task(later.id)).toMatchObject({ priority: 9, tags: ['b'], name: 'of b', status: 'scheduled' });
  const again = { ...STEPS, name: 'of a', tags: ['a'], ...FAR, unique_key: 'k', idempotency_key: 'i' };
  expect(await (await b.call('POST', '/api/tasks', again)).json()).toMatchObject({ id: keyed.id });
  const second = await b.call('POST', '/api/tasks', { ...STEPS, unique_key: 'k' });
  expect([second.status, await second.json()]).toEqual([409, expect.objectContaining({ task_id: keyed.id })]);
  expect((await b.call('POST', `/api/tasks/${keyed.id}/cancel`, {})).status).toBe(200);
  expect((await a.task(keyed.id)).status).toBe('cancelled');
  const retried = await b.call('POST', `/api/tasks/${dead.id}/retry`, { payload: { ms: 0, failures: 0 } });
  expect(retried.status).toBe(200);
  await a.until(dead.id, 'completed');
  expect((await b.call('PATCH', `/api/tasks/${later.id}`, { run_at: null })).status).toBe(200);
  await a.until(behind.id, 'completed');
  await fleet.worker(two);
  expect((await b.call('POST', `/api/tasks/${gated.id}/cancel`, {})).status).toBeLessThan(300);
  await a.until(gated.id, 'cancelled');
  expect((await b.call('DELETE', `/api/tasks/${gated.id}`)).status).toBe(204);
  world.accepted.delete(gated.id);
  expect((await a.call('GET', `/api/tasks/${gated.id}`)).status).toBe(404);
  expect(fleet.oddFrames).toEqual([]);
  expect(await world.violations()).toEqual([]);
});

it('loses nothing while a fleet under load goes over to this version, and back', async () => {
  await using fleet = await MixedFleet.start();
  const { world } = fleet;
  for (const _ of [1, 2]) {
    await fleet.server('before');
    await fleet.worker('before');
  }
  const enough = new AbortController();
  const loading = load(fleet, enough.signal);
  const over = async (build: Build, how: NodeJS.Signals) => {
    for (const signal of ['SIGTERM', how] as const) {
      await fleet.replaceWorker(build, signal);
      await fleet.replaceServer(build);
      const reached = world.accepted.size + someOfEach(0).length * 4;
      await waitFor('some more tasks', () => (world.accepted.size >= reached ? true : null));
    }
  };
  await over('now', 'SIGKILL');
  await over('before', 'SIGTERM');
  enough.abort();
  const statuses = await loading;
  expect([...statuses.keys()]).toEqual([201]);
  const { api } = await fleet.server('now');
  await waitFor(
    'everything to end',
    async () => {
      const { pending, processing, retrying, scheduled, blocked } = await world.stats(api);
      return pending + processing + retrying + scheduled + blocked === 0 ? true : null;
    },
    60_000,
  );
  const { completed, failed, cancelled, total } = await world.stats(api);
  expect(completed + failed + cancelled).toBe(total);
  expect(total).toBe(world.accepted.size);
  expect(failed).toBeGreaterThan(0);
  expect(cancelled).toBeGreaterThan(0);
  expect(fleet.oddFrames).toEqual([]);
  expect(await world.violations()).toEqual([]);
}, 180_000);

const told = async (api: TestApi, id: string, part: string) =>
  (await api.call('GET', `/api/tasks/${id}/${part}`)).json();
