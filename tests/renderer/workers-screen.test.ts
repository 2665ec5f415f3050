// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { PoolsStore } from '../../src-renderer/stores/pools-store.svelte';
import { FleetActions } from '../../src-renderer/views/workers/fleet-actions.svelte';
import { groupFleet } from '../../src-renderer/views/workers/fleet-rows';
import PoolDialog from '../../src-renderer/views/workers/PoolDialog.svelte';
import WorkerInspector from '../../src-renderer/views/workers/WorkerInspector.svelte';
import WorkersView from '../../src-renderer/views/workers/WorkersView.svelte';
import { consoleOf, NOON, poolOf, workerOf } from './fleet';

beforeAll(() => {
  // jsdom has neither; a test sees no layout and no modality
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe() {
        return undefined;
      }
      unobserve() {
        return undefined;
      }
      disconnect() {
        return undefined;
      }
    },
  );
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.open = true;
  };
});
afterEach(cleanup);

const memberOf = (pools: ReturnType<typeof poolOf>[], workerId: string) => {
  const workers = [workerOf(workerId, { pool: pools[0]?.id ?? null })];
  const member = groupFleet({ pools, workers, silentMs: () => 0, now: NOON }).flatMap(({ members }) => members)[0];
  if (member === undefined) throw new Error('the fleet is empty');
  return member;
};
const button = (name: string | RegExp) => screen.getByRole<HTMLButtonElement>('button', { name });

it('starts a pool from its form, and shows what the API refuses at its field', async () => {
  let refused = true;
  const { ui, requests } = await consoleOf(() =>
    refused
      ? {
          status: 422,
          body: {
            title: 'The request is not valid',
            detail: 'x',
            errors: [{ path: 'handlers', message: 'is not a folder on this machine' }],
          },
        }
      : { status: 201, body: poolOf('mail', ['w']) },
  );
  const saved = vi.fn();
  render(PoolDialog, { ui, pool: null, queues: ['emails'], onsaved: saved, onclose: vi.fn() });
  await fireEvent.input(screen.getByLabelText('Name'), { target: { value: 'mail' } });
  await fireEvent.input(screen.getByLabelText(/^Handlers/), { target: { value: '/nowhere' } });
  await fireEvent.click(button('Start pool'));
  expect((await screen.findByText('is not a folder on this machine')).id).toBe(
    screen.getByLabelText(/^Handlers/).getAttribute('aria-describedby'),
  );
  expect(saved).not.toHaveBeenCalled();
  refused = false;
  await fireEvent.click(button('Start pool'));
  await waitFor(() => expect(saved).toHaveBeenCalledOnce());
  expect(requests[1]).toEqual({
    method: 'POST',
    path: '/api/pools',
    body: {
      name: 'mail',
      queues: [{ name: '*', weight: 1 }],
      concurrency: 10,
      processes: 1,
      handlers: '/nowhere',
      autoscale: null,
    },
  });
});

async function inspect(pools: ReturnType<typeof poolOf>[], who: Parameters<typeof consoleOf>[1] = {}) {
  const setup = await consoleOf(
    ({ path }) =>
      path.endsWith('/restart') ? { status: 202, body: poolOf('mail', ['w']) } : { status: 202, body: workerOf('w') },
    who,
  );
  const actions = new FleetActions(setup.ui, new PoolsStore(), vi.fn());
  render(WorkerInspector, {
    ui: setup.ui,
    member: memberOf(pools, 'w'),
    samples: [],
    exits: [],
    actions,
    onclose: vi.fn(),
  });
  return { ...setup, actions };
}

it('can restart a worker of its own pools at once, one that was started elsewhere only be quieted and stopped', async () => {
  const { requests } = await inspect([poolOf('mail', ['w'])]);
  await fireEvent.click(button('Restart worker'));
  expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /api/workers/w/restart']);
  cleanup();
  const remote = await inspect([]);
  expect(screen.queryByRole('button', { name: 'Restart worker' })).toBeNull();
  await fireEvent.click(button('Stop…'));
  expect(remote.requests).toEqual([]); // it asks first, wherever it is
  expect(remote.actions.question).toMatchObject({ title: 'Stop the worker w on web-1 on LOCAL', typed: null });
  remote.actions.question?.run();
  await waitFor(() => expect(remote.requests.map(({ path }) => path)).toEqual(['/api/workers/w/stop']));
  await waitFor(() => expect(remote.ui.toasts.toasts.map(({ text }) => text)).toEqual(['w is told to stop']));
});

it('wants the name typed for what cannot be taken back, where the connection is careful', async () => {
  const safety = { level: 'guarded', unlocked_until: null, unlocked_by: null, locked: false } as const;
  const { actions, requests } = await inspect([], { safety });
  await fireEvent.click(button('Quiet'));
  expect(actions.question).toMatchObject({ verb: 'Quiet worker', typed: null });
  await fireEvent.click(button('Stop…'));
  expect(actions.question).toMatchObject({ verb: 'Stop worker', typed: 'w' });
  expect(requests).toEqual([]);
});

it('says why nothing can be done while the connection is read-only', async () => {
  const safety = { level: 'read_only', unlocked_until: null, unlocked_by: null, locked: true } as const;
  await inspect([poolOf('mail', ['w'])], { safety, capabilities: [] });
  for (const name of ['Restart worker', 'Quiet', 'Stop…']) {
    expect(button(name).disabled).toBe(true);
    expect(button(name).title).toBe('Read-only: unlock first');
  }
});

it('shows pools with their workers, and says how to begin where there is none', async () => {
  let pools = [poolOf('mail', ['m1', 'm2'])];
  const { ui, requests, time } = await consoleOf(({ method }) => ({
    body: method === 'PATCH' ? { ...pools[0], processes: 3 } : { pools },
  }));
  render(WorkersView, { ui, route: { view: 'workers', rest: [], query: {} } });
  const grid = await screen.findByRole('treegrid', { name: 'Pools and workers' });
  await within(grid).findByText('m2');
  expect(
    within(grid)
      .getAllByRole('row')
      .map((row) => row.getAttribute('aria-level')),
  ).toEqual([null, '1', '2', '2']);
  await fireEvent.keyDown(grid, { key: 'ArrowLeft' });
  expect(within(grid).queryByText('m2')).toBeNull();
  await fireEvent.click(button('One process more in mail'));
  await waitFor(() => expect(requests.find(({ method }) => method === 'PATCH')?.body).toEqual({ processes: 3 }));
  pools = [];
  await waitFor(() => {
    time.advance(500);
    expect(screen.queryByText('No worker is connected to this Redis')).not.toBeNull();
  });
  expect(screen.getByText("millrace --worker --redis redis://10.0.0.5:6379/0 --queues '*'")).toBeTruthy();
});
