// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Task } from '#queue/contract/task';
import { Keyboard } from '../../src-renderer/commands.svelte';
import { parseRoute } from '../../src-renderer/router.svelte';
import TasksView from '../../src-renderer/views/tasks/TasksView.svelte';
import { idOf, taskOf } from '../support/wire';
import { type Answer, type Call, giveDialogs, giveLayout, uiWorld } from './ui-world';

beforeEach(() => {
  giveDialogs();
  giveLayout();
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  window.location.hash = '';
  window.localStorage.clear();
});

const pageOf = (tasks: Task[], total = tasks.length) => ({
  body: { tasks, next_cursor: total > tasks.length ? 'more' : null, total, total_exact: true },
});

/** What belongs to a task beside itself. */
function partOf(path: string): Answer | null {
  const part = path.split('/')[4];
  if (part === 'history') return { body: { history: [] } };
  if (part === 'logs') return { body: { logs: [] } };
  if (part === 'artifacts') return { body: { artifacts: [] } };
  if (part === 'explain') return { body: { status: 'pending', reasons: [], position: 0, eta_seconds: null } };
  return null;
}

async function show(hash: string, answer: (call: Call) => Answer) {
  window.location.hash = hash;
  const world = uiWorld((call) => partOf(call.path) ?? answer(call));
  const { ui } = world;
  const keyboard = new Keyboard({
    commands: ui.commands,
    singleKeys: () => true,
    isMac: false,
    now: () => world.time.now(),
  });
  window.addEventListener('keydown', keyboard.onkeydown);
  const view = render(TasksView, { ui, route: parseRoute(hash) });
  await waitFor(() => expect(world.calls.some(({ path }) => path.startsWith('/api/tasks?'))).toBe(true));
  const listCalls = () => world.calls.filter(({ path }) => path.startsWith('/api/tasks?')).map(({ path }) => path);
  const follow = () => view.rerender({ route: parseRoute(window.location.hash) });
  return { ...world, listCalls, follow, stop: () => window.removeEventListener('keydown', keyboard.onkeydown) };
}

it('asks the server for the query of the address, and hides the column that it makes constant', async () => {
  const { listCalls, stop } = await show('#/tasks?query=state:failed,retrying queue:default', () =>
    pageOf([taskOf(1, { status: 'failed' })], 12_482),
  );
  await screen.findByText('12 482');
  expect(listCalls()[0]).toBe('/api/tasks?status=failed%2Cretrying&queue=default&limit=100');
  expect(screen.getByText('queue hidden: all default')).toBeTruthy();
  expect(screen.queryByRole('columnheader', { name: 'Queue' })).toBeNull();
  stop();
});

it('understands a link of an older console, and keys that filter by state', async () => {
  const { listCalls, follow, stop } = await show('#/tasks?status=failed', () => pageOf([taskOf(1)]));
  expect(listCalls()[0]).toBe('/api/tasks?status=failed&limit=100');
  await fireEvent.keyDown(document.body, { key: '4' });
  expect(decodeURIComponent(window.location.hash)).toBe('#/tasks?query=state:retrying');
  await follow();
  await waitFor(() => expect(listCalls().at(-1)).toBe('/api/tasks?status=retrying&limit=100'));
  stop();
});

it('keeps the old list under a query with an error, and says what is wrong', async () => {
  const { listCalls, stop } = await show('#/tasks', () => pageOf([taskOf(1)]));
  await screen.findByText(/match/);
  const input = screen.getByRole('combobox', { name: 'Query' });
  await fireEvent.input(input, { target: { value: 'foo:bar' } });
  await fireEvent.keyDown(input, { key: 'Enter' });
  expect(screen.getByRole('alert').textContent).toContain('foo is not a field');
  expect(input.getAttribute('aria-invalid')).toBe('true');
  expect(screen.getAllByText('email')).toHaveLength(1);
  expect(listCalls()).toHaveLength(1);
  stop();
});

it('offers the changes of a query without matches that find something, with the counts of the server', async () => {
  const { stop } = await show('#/tasks?query=state:scheduled queue:default', ({ path }) => {
    if (path.includes('status=retrying')) return pageOf([taskOf(1)], 1592);
    return path.includes('status=') ? pageOf([]) : pageOf([taskOf(1)], 1904);
  });
  await screen.findByText('Nearest that match:');
  const rows = screen.getAllByRole('listitem').map((row) => row.textContent?.replace(/\s+/g, ' ').trim());
  expect(rows).toEqual(['Remove state: scheduled 1 904', 'Change state: scheduled to state: retrying 1 592']);
  stop();
});

it('means all that match, also those that are not loaded, and asks before it does anything', async () => {
  const plan = { matched: 500, by_queue: { default: 500 }, by_task_type: {}, by_error: {}, samples: [] };
  const { calls, stop } = await show('#/tasks?query=state:failed tag:x', ({ path }) =>
    path.startsWith('/api/tasks?')
      ? pageOf([taskOf(2, { status: 'failed' }), taskOf(1, { status: 'failed' })], 500)
      : { body: plan },
  );
  await screen.findByText('500');
  await fireEvent.click(screen.getByRole('checkbox', { name: 'Check all that are loaded' }));
  await fireEvent.click(screen.getByRole('button', { name: 'Select all 500 matching' }));
  await fireEvent.keyDown(document.body, { key: 'r' });
  await waitFor(() => expect(calls.some(({ method }) => method === 'POST')).toBe(true));
  const [asked] = calls.filter(({ method }) => method === 'POST');
  expect(asked?.body).toMatchObject({ filter: { status: ['failed'], tag: 'x' }, dry_run: true });
  stop();
});

it('opens a task beside the list, and closes it by Escape before it lets the selection go', async () => {
  const { follow, stop } = await show('#/tasks', ({ path }) =>
    path.startsWith('/api/tasks?') ? pageOf([taskOf(1)]) : { body: taskOf(1) },
  );
  await fireEvent.click(await screen.findByRole('checkbox', { name: 'Check this row' }));
  await fireEvent.click(screen.getByText('email'));
  expect(window.location.hash).toContain(idOf(1));
  await follow();
  await screen.findByRole('complementary', { name: 'task' });
  await fireEvent.keyDown(document.body, { key: 'Escape' });
  await follow();
  expect(screen.queryByRole('complementary', { name: 'task' })).toBeNull();
  expect(screen.getByText('1 task selected')).toBeTruthy();
  await fireEvent.keyDown(document.body, { key: 'Escape' });
  expect(screen.queryByText('1 task selected')).toBeNull();
  stop();
});
