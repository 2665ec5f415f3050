// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { DryRun, Operation } from '#queue/contract/operation';
import type { SessionInfo } from '#queue/contract/session';
import { Keyboard } from '../../src-renderer/commands.svelte';
import type { BulkAction } from '../../src-renderer/stores/bulk-action';
import BulkDialog from '../../src-renderer/views/bulk/BulkDialog.svelte';
import { sessionInfoOf, taskOf } from '../support/wire';
import { type Answer, type Call, giveDialogs, uiWorld } from './ui-world';

const planOf = (matched: number): DryRun => ({
  matched,
  by_queue: { payments: matched },
  by_task_type: { 'charge.capture': matched },
  by_error: { 'ECONNRESET: read ECONNRESET': matched },
  samples: [taskOf(1, { status: 'failed', finished_at: '2026-11-22T12:00:00.000Z' })],
});
const operationOf = (matched: number): Operation => ({
  id: 'op-1',
  action: 'requeue',
  filter: { status: 'failed' },
  state: 'running',
  matched,
  done: 0,
  skipped: 0,
  failed: 0,
  rate: null,
  priority: null,
  started_at: '2026-11-22T12:00:00.000Z',
  finished_at: null,
  by: 'local',
  message: null,
  eta_seconds: null,
});
const FILTER = { status: 'failed', error: '4f1c9a' } as const;
const REQUEUE: BulkAction = { verb: 'requeue', noun: 'failed task', selection: { filter: FILTER } };
const GUARDED = sessionInfoOf({ safety: { level: 'guarded', unlocked_until: null, unlocked_by: null, locked: false } });

beforeEach(giveDialogs);
afterEach(cleanup);

function open(action: BulkAction, answer: (call: Call) => Answer, info?: SessionInfo) {
  const world = uiWorld(answer, info);
  const onclose = vi.fn();
  const onstarted = vi.fn();
  const { unmount } = render(BulkDialog, { ui: world.ui, action, onclose, onstarted });
  return { ...world, onclose, onstarted, unmount };
}

/** The server of most tests: 312 match, and it begins. */
const serve = ({ body }: Call): Answer =>
  body.dry_run ? { body: planOf(312) } : { status: 202, body: operationOf(312) };
const button = (name: string) => screen.getByRole<HTMLButtonElement>('button', { name });

it('tells what it is about in the words of the dry run, and opens with Cancel under the finger', async () => {
  const { calls } = open(REQUEUE, serve);
  expect(document.activeElement).toBe(button('Cancel'));
  await screen.findByRole('dialog', { name: 'Requeue 312 failed tasks in payments on LOCAL' });
  expect(screen.getByText('state:failed error:4f1c9a')).toBeTruthy();
  expect(document.activeElement).toBe(button('Cancel'));
  expect(calls).toEqual([{ method: 'POST', path: '/api/dlq/requeue', body: { filter: FILTER, dry_run: true } }]);
});

it('starts with the count that was shown, rate and limit as filled in, and hands the operation on', async () => {
  const { ui, calls, onclose, onstarted } = open(REQUEUE, serve);
  await fireEvent.input(await screen.findByLabelText(/^Rate/), { target: { value: '5' } });
  expect(screen.getByText('312 take about 1m 02s.')).toBeTruthy();
  await fireEvent.input(screen.getByLabelText(/^Limit/), { target: { value: '50' } });
  await fireEvent.click(button('Requeue 50 tasks'));
  await waitFor(() => expect(onclose).toHaveBeenCalledOnce());
  expect(onstarted).toHaveBeenCalledOnce();
  expect(calls.at(-1)?.body).toEqual({
    filter: FILTER,
    expected_count: 50,
    rate: 5,
    limit: 50,
  });
  expect(ui.session.operations.current?.id).toBe('op-1');
  expect(ui.toasts.toasts[0]).toMatchObject({ text: 'Requeueing 50 tasks', actions: [{ label: 'View operation' }] });
});

it('takes no limit and no rate that is none', async () => {
  open(REQUEUE, serve);
  await fireEvent.input(await screen.findByLabelText(/^Limit/), { target: { value: '1.5' } });
  expect(button('Requeue 312 tasks').disabled).toBe(true);
  await fireEvent.input(screen.getByLabelText(/^Limit/), { target: { value: '' } });
  await fireEvent.input(screen.getByLabelText(/^Rate/), { target: { value: '-1' } });
  expect(button('Requeue 312 tasks').disabled).toBe(true);
  await fireEvent.input(screen.getByLabelText(/^Rate/), { target: { value: '0.5' } });
  expect(button('Requeue 312 tasks').disabled).toBe(false);
});

it('wants the exact words where the connection is guarded; Enter in the field does nothing', async () => {
  const { calls } = open(REQUEUE, serve, GUARDED);
  const field = await screen.findByLabelText('Type requeue 312 payments to confirm');
  for (const typed of ['requeue 312 payment', 'Requeue 312 payments', 'requeue 312 payments ']) {
    await fireEvent.input(field, { target: { value: typed } });
    expect(button('Requeue 312 tasks').disabled).toBe(true);
  }
  await fireEvent.input(field, { target: { value: 'requeue 312 payments' } });
  expect(button('Requeue 312 tasks').disabled).toBe(false);
  await fireEvent.keyDown(field, { key: 'Enter' });
  await fireEvent.submit(field);
  expect(field.closest('form')).toBeNull(); // Enter would press the button of a form
  expect(calls).toHaveLength(1);
});

it('counts again where the count has moved, says from what to what, and wants new words', async () => {
  let matched = 312;
  const { calls, onclose } = open(
    REQUEUE,
    ({ body }) => {
      if (body.dry_run) return { body: planOf(matched) };
      return body.expected_count === matched
        ? { status: 202, body: operationOf(matched) }
        : { status: 409, body: { title: 'The selection has changed', code: 'COUNT_CHANGED' } };
    },
    GUARDED,
  );
  const field = await screen.findByLabelText<HTMLInputElement>('Type requeue 312 payments to confirm');
  await fireEvent.input(field, { target: { value: 'requeue 312 payments' } });
  matched = 341;
  await fireEvent.click(button('Requeue 312 tasks'));
  await screen.findByText('Count moved from 312 to 341. Review again');
  expect(onclose).not.toHaveBeenCalled();
  const again = screen.getByLabelText<HTMLInputElement>('Type requeue 341 payments to confirm');
  expect(again.value).toBe('');
  expect(button('Requeue 341 tasks').disabled).toBe(true);
  await fireEvent.input(again, { target: { value: 'requeue 341 payments' } });
  await fireEvent.click(button('Requeue 341 tasks'));
  await waitFor(() => expect(onclose).toHaveBeenCalledOnce());
  expect(calls.map(({ body }) => body.expected_count ?? 'dry run')).toEqual(['dry run', 312, 'dry run', 341]);
});

it('says what the server refused, and lets one try again', async () => {
  let refuse = true;
  const { onclose } = open(REQUEUE, (call) =>
    refuse && !call.body.dry_run
      ? { status: 503, body: { title: 'Redis is unreachable', detail: 'No answer for 5 s.' } }
      : serve(call),
  );
  await screen.findByText('These');
  await fireEvent.click(button('Requeue 312 tasks'));
  await screen.findByText('Redis is unreachable');
  refuse = false;
  await fireEvent.click(button('Requeue 312 tasks'));
  await waitFor(() => expect(onclose).toHaveBeenCalledOnce());
});

it('cannot begin where a right is missing, and says which', async () => {
  open(REQUEUE, serve, sessionInfoOf({ actor: { name: 'guest', role: 'viewer' }, capabilities: [] }));
  await screen.findByText('Needs the role operator');
  await waitFor(() => expect(button('Requeue 312 tasks').disabled).toBe(true));
});

it.each([
  [{ verb: 'purge', selection: REQUEUE.selection }, '/api/dlq/purge', { confirm: true, dry_run: true }],
  [{ verb: 'cancel', selection: { ids: ['a', 'b'] } }, '/api/operations', { action: 'cancel', ids: ['a', 'b'] }],
  [{ verb: 'delete', selection: { ids: ['a'] } }, '/api/operations', { action: 'delete', confirm: true }],
  [{ verb: 'requeue', selection: { ids: ['a'] } }, '/api/operations', { action: 'requeue' }],
  [
    { verb: 'reprioritise', priority: 8, selection: { filter: { queue: 'payments' } } },
    '/api/operations',
    { action: 'reprioritise', priority: 8 },
  ],
] as const)('asks the right route: %o', async (action, path, body) => {
  const { calls } = open(action, serve);
  await screen.findByText('These');
  expect(calls[0]).toMatchObject({ path, body: { ...body, dry_run: true } });
});

it('keeps its keys to itself: a command of the view behind hears none, wherever the focus is', async () => {
  const { ui, unmount } = open(REQUEUE, serve);
  const run = vi.fn();
  ui.commands.add(() => [{ id: 'close', title: 'Close', group: 'List', keys: 'escape', run }]);
  const keyboard = new Keyboard({ commands: ui.commands, isMac: false, singleKeys: () => true, now: () => 0 });
  window.addEventListener('keydown', keyboard.onkeydown);
  const free = await fireEvent.keyDown(button('Cancel'), { key: 'Escape' });
  expect(free).toBe(true); // not prevented: the browser closes the dialog
  expect(run).not.toHaveBeenCalled();
  await fireEvent.keyDown(document.body, { key: 'Escape' });
  expect(run).not.toHaveBeenCalled();
  unmount();
  await fireEvent.keyDown(document.body, { key: 'Escape' });
  expect(run).toHaveBeenCalledOnce();
  window.removeEventListener('keydown', keyboard.onkeydown);
});
