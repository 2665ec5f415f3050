import { expect, it } from 'vitest';
import { TaskListLoader } from '../../src-renderer/loaders/task-list-loader';
import { ApiClient } from '../../src-renderer/net/api-client';
import { PaintBeat } from '../../src-renderer/paint-beat';
import { readQuery } from '../../src-renderer/query/list-scope';
import { TaskListStore } from '../../src-renderer/stores/task-list-store.svelte';
import { idOf, taskOf } from '../support/wire';
import { TestTime, taskFrame } from './support';

const settled = () => new Promise((resolve) => setTimeout(resolve));

/** A list of one task that has been read, and what it asks for from then on. */
async function loaded(answer: () => unknown[]) {
  const time = new TestTime();
  const requests: string[] = [];
  const api = new ApiClient({
    baseUrl: 'http://127.0.0.1:8000/',
    token: () => null,
    onUnauthenticated: () => undefined,
    fetch: async (input) => {
      const { pathname, search } = new URL(String(input));
      requests.push(`GET ${pathname}${search}`);
      return Response.json({ tasks: answer(), next_cursor: null, total: 1, total_exact: true });
    },
  });
  const store = new TaskListStore({ following: true });
  const loader = new TaskListLoader(api, store, time, new PaintBeat(time));
  const { scope } = readQuery('', time.now());
  if (scope === null) throw new Error('the empty query is one');
  await loader.load(scope);
  requests.length = 0;
  return { store, loader, time, requests };
}

it('paints the frames of tasks in batches', async () => {
  const { store, loader, time } = await loaded(() => [taskOf(0)]);
  for (const n of [1, 2, 3]) loader.take(taskFrame(n));
  expect(store.rows).toHaveLength(1);
  time.advance(250);
  expect(store.rows.map((row) => row.id)).toEqual([idOf(3), idOf(2), idOf(1), idOf(0)]);
});

it('reads the names of rows that came as frames, at most once a second', async () => {
  let tasks = [taskOf(0)];
  const { store, loader, time, requests } = await loaded(() => tasks);
  tasks = [taskOf(2, { name: 'Order 2' })];
  loader.take(taskFrame(1));
  time.advance(20);
  expect(store.rows).toHaveLength(2);
  loader.take(taskFrame(2));
  time.advance(999);
  expect(requests).toEqual([]);
  time.advance(1);
  await settled();
  time.advance(20);
  expect(requests).toEqual(['GET /api/tasks?limit=50']);
  expect(store.rows.map((row) => row.name).slice(0, 2)).toEqual(['Order 2', null]);
});
