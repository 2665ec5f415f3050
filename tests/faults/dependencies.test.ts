/** Ten thousand tasks that wait for one, however it ends; and dependencies that cannot be. */
import { expect, it } from 'vitest';
import { TaskPage } from '#queue/contract/task';
import { FaultWorld } from '../support/fault-world';
import { TestApi, waitFor } from '../support/millrace-process';

const CHILDREN = 10_000;
const DEADLINE_MS = 60_000;

it.each([
  {
    end: 'completes',
    act: async (world: FaultWorld) => world.open('parent'),
    counts: { completed: 1, pending: CHILDREN },
  },
  {
    end: 'is cancelled',
    act: async (_world: FaultWorld, api: TestApi, id: string) => {
      expect((await api.call('POST', `/api/tasks/${id}/cancel`)).status).toBe(200);
    },
    counts: { cancelled: 1, failed: CHILDREN },
  },
  {
    end: 'is removed',
    act: async (_world: FaultWorld, api: TestApi, id: string) => {
      expect((await api.call('DELETE', `/api/tasks/${id}`)).status).toBe(204);
    },
    counts: { failed: CHILDREN, total: CHILDREN },
  },
])(
  'tells all of 10 000 tasks that wait for one when it $end, although its server is killed',
  async ({ end, act, counts }) => {
    await using world = await FaultWorld.start();
    const server = world.process(['--headless', '--port', '0', '--workers', '0']);
    const api = new TestApi(await server.address());
    const parent = await api.submit({ task_type: 'gated', payload: world.payload('parent'), queue: 'parents' });
    const tasks = Array.from({ length: CHILDREN }, () => ({
      task_type: 'gated',
      payload: world.payload(),
      depends_on: [parent.id],
    }));
    expect((await api.call('POST', '/api/tasks/bulk', { tasks })).status).toBe(201);
    expect((await world.stats(api)).blocked).toBe(CHILDREN);
    if (end === 'completes') world.worker(1, { env: { QUEUES: 'parents' } });
    await act(world, api, parent.id);
    server.signal('SIGKILL'); // whoever was telling them dies in the middle of it
    const other = await world.server();
    const wanted = Object.entries({ blocked: 0, ...counts });
    await waitFor(
      'all to be told',
      async () => {
        const stats = new Map<string, unknown>(Object.entries(await world.stats(other)));
        return wanted.every(([name, count]) => stats.get(name) === count) ? true : null;
      },
      DEADLINE_MS,
    );
    expect(await world.violations()).toEqual([]);
    if (counts.failed === undefined) return;
    const page = TaskPage.parse(await (await other.call('GET', '/api/tasks?status=failed&limit=1')).json());
    const message = expect.stringContaining(parent.id);
    expect(page.tasks[0]?.error).toMatchObject({ name: 'DependencyError', message });
  },
);

it('refuses a task that waits for one that is not there, and takes one that names another twice', async () => {
  await using world = await FaultWorld.start();
  const api = await world.server();
  const wait = (depends_on: string[]) =>
    api.call('POST', '/api/tasks', { task_type: 'gated', payload: world.payload(), depends_on });
  // An id cannot be known before its task is there: so no task can wait for itself, and none for a later one.
  const missing = await wait(['01KA9Z6Q0MB0Q3T5V7X9YABCDE']);
  expect(missing.status).toBe(422);
  const errors = [{ path: 'depends_on.0', message: expect.any(String) }];
  expect(await missing.json()).toMatchObject({ errors });
  const parent = await api.submit({ task_type: 'gated', payload: world.payload() });
  const twice = await wait([parent.id, parent.id]);
  expect(twice.status).toBe(201);
  expect(await twice.json()).toMatchObject({ depends_on: [parent.id] });
  world.worker();
  world.open();
  await world.until(api, 'completed', 2);
  expect(await world.violations()).toEqual([]);
});
