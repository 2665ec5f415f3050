// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ServerFrame } from '#queue/contract/stream';
import type { Task } from '#queue/contract/task';
import { Keyboard } from '../../src-renderer/commands.svelte';
import SendProgress from '../../src-renderer/frame/SendProgress.svelte';
import { parseRoute } from '../../src-renderer/router.svelte';
import SubmitView from '../../src-renderer/views/submit/SubmitView.svelte';
import { idOf, sessionInfoOf, taskOf } from '../support/wire';
import { type Answer, type Call, giveDialogs, uiWorld } from './ui-world';

const TYPES = {
  task_types: [
    {
      task_type: 'email',
      description: 'Sends a mail',
      payload_schema: {
        type: 'object',
        properties: { to: { type: 'string' }, parcels: { type: 'integer', minimum: 1, maximum: 20 } },
        required: ['to'],
      },
      timeout: null,
      workers: ['w1', 'w2'],
      queues: ['*'],
    },
  ],
};

const ABLE = sessionInfoOf({ capabilities: ['submitTask'] });

beforeEach(giveDialogs);
afterEach(cleanup);

function open(hash: string, answer: (call: Call) => Answer | undefined, info = ABLE) {
  let stored: Task = taskOf(1);
  const world = uiWorld((call) => {
    const own = answer(call);
    if (own !== undefined) return own;
    if (call.path === '/api/task-types') return { body: TYPES };
    if (call.method === 'POST') return { status: 201, body: stored };
    return { body: stored };
  }, info);
  // The frames come from a socket that the test does not have.
  const onFrame = vi.spyOn(world.ui.session, 'onFrame');
  const keyboard = new Keyboard({ commands: world.ui.commands, isMac: false, singleKeys: () => true, now: () => 0 });
  window.addEventListener('keydown', keyboard.onkeydown);
  render(SubmitView, { ui: world.ui, route: parseRoute(hash) });
  return {
    ...world,
    become: (task: Task) => (stored = task),
    hear: (frame: ServerFrame) => onFrame.mock.calls[0]?.[0](frame),
  };
}
const posted = (calls: readonly Call[]) => calls.filter(({ method }) => method === 'POST');

it('is filled, mended, submitted by Ctrl Enter, and shows the task to its end', async () => {
  const { ui, calls, become, hear } = open('#/submit?type=email&queue=mail', () => undefined);
  await screen.findByText('2 workers serve it');
  const to = await screen.findByLabelText(/^to/);
  await fireEvent.keyDown(to, { key: 'Enter', ctrlKey: true });
  expect(posted(calls)).toEqual([]);
  expect(await screen.findByText('1 field to mend:')).toBeTruthy();
  await fireEvent.input(to, { target: { value: 'ada@example.com' } });
  await fireEvent.input(screen.getByLabelText(/^parcels/), { target: { value: 'two' } });
  expect(screen.getByText('Expected an integer, got "two"')).toBeTruthy();
  const editor = screen.getByLabelText<HTMLTextAreaElement>('Payload JSON');
  expect(JSON.parse(editor.value)).toEqual({ to: 'ada@example.com', parcels: 'two' });
  await fireEvent.input(editor, { target: { value: '{"to":"ada@example.com","parcels":2}' } });
  expect(screen.getByLabelText<HTMLInputElement>(/^parcels/).value).toBe('2');
  await fireEvent.keyDown(editor, { key: 'Enter', ctrlKey: true });
  await screen.findByText(/^Pending/);
  expect(posted(calls)).toEqual([
    {
      method: 'POST',
      path: '/api/tasks',
      body: { task_type: 'email', queue: 'mail', priority: 5, payload: { to: 'ada@example.com', parcels: 2 } },
    },
  ]);
  expect(ui.toasts.toasts[0]?.actions[0]?.label).toBe('View task');
  become(
    taskOf(1, {
      status: 'failed',
      attempts: 1,
      error: {
        name: 'Error',
        message: 'no such mailbox',
        stack: null,
        fingerprint: 'f',
        at: '2026-11-22T12:00:01.000Z',
      },
    }),
  );
  const frame: ServerFrame = {
    type: 'task',
    seq: 2,
    event: 'failed',
    at: '2026-11-22T12:00:01.000Z',
    task: { id: idOf(1), queue: 'mail', task_type: 'email', status: 'failed' },
  };
  hear(frame);
  await screen.findByText(/^Failed/);
  await waitFor(() => expect(document.body.textContent).toContain('no such mailbox'));
});

it("shows the server's verdict at its field", async () => {
  const { calls } = open('#/submit?type=email', ({ method }) =>
    method === 'POST'
      ? {
          status: 422,
          body: { title: 'The request is not valid', errors: [{ path: 'payload.to', message: 'is no address' }] },
        }
      : undefined,
  );
  await fireEvent.input(await screen.findByLabelText(/^to/), { target: { value: 'x' } });
  await fireEvent.click(screen.getByRole('button', { name: /^Submit task/ }));
  await screen.findByText('is no address');
  expect(posted(calls)).toHaveLength(1);
  expect(screen.getByRole<HTMLButtonElement>('button', { name: /^Submit task/ }).disabled).toBe(true);
});

it('begins as a past task was', async () => {
  open(`#/submit?from=${idOf(1)}`, ({ path }) =>
    path.includes(idOf(1)) ? { body: taskOf(1, { queue: 'mail', payload: { to: 'ines' } }) } : undefined,
  );
  await waitFor(() => expect(screen.getByLabelText<HTMLInputElement>(/^Queue/).value).toBe('mail'));
  expect(screen.getByLabelText<HTMLInputElement>(/^to/).value).toBe('ines');
});

it('says why nothing can be submitted', async () => {
  open(
    '#/submit?type=email',
    () => undefined,
    sessionInfoOf({ actor: { name: 'guest', role: 'viewer' }, capabilities: [] }),
  );
  await screen.findByText('Needs the role operator');
  expect(screen.getByRole<HTMLButtonElement>('button', { name: /^Submit task/ }).disabled).toBe(true);
});

it('asks before it submits where the connection is guarded', async () => {
  const { calls } = open(
    '#/submit?type=email',
    () => undefined,
    sessionInfoOf({
      capabilities: ['submitTask'],
      safety: { level: 'guarded', unlocked_until: null, unlocked_by: null, locked: false },
    }),
  );
  await fireEvent.input(await screen.findByLabelText(/^to/), { target: { value: 'x' } });
  await fireEvent.click(screen.getByRole('button', { name: /^Submit task/ }));
  await screen.findByRole('dialog', { name: 'Submit 1 email task to default on LOCAL' });
  expect(posted(calls)).toEqual([]);
  await fireEvent.click(screen.getByRole('button', { name: 'Submit 1 task' }));
  await waitFor(() => expect(posted(calls)).toHaveLength(1));
});

it('sends a file to its end while another screen is shown, tells how far it is, and says when it is over', async () => {
  const rows = Array.from({ length: 2500 }, (_, n) => `{"task_type":"email","payload":{"to":"${n}@example.com"}}`);
  const { ui, calls } = open('#/submit?tab=many', ({ path, body }) =>
    path === '/api/tasks/bulk'
      ? { status: 201, body: { accepted: (body.tasks as unknown[]).length, rejected: 0, ids: [], errors: [] } }
      : undefined,
  );
  const { many, manyLoader } = ui.session;
  const file = new File([rows.join('\n')], 'mails.jsonl');
  many.choose(Object.assign(file, { stream: () => new Response(rows.join('\n')).body }), 'jsonl'); // jsdom's has no stream
  await manyLoader.look();
  window.location.hash = '#/tasks';
  window.dispatchEvent(new HashChangeEvent('hashchange'));
  const sending = manyLoader.send();
  cleanup(); // the screen is left
  render(SendProgress, { ui });
  const link = screen.getByRole('link', { name: /mails\.jsonl/ });
  expect(link.textContent).toMatch(/0 of 2\s500 rows/);
  expect(link.getAttribute('href')).toBe('#/submit?tab=many');
  const closing = new Event('beforeunload', { cancelable: true });
  window.dispatchEvent(closing);
  expect(closing.defaultPrevented).toBe(true);
  await sending;
  await waitFor(() => expect(ui.toasts.toasts[0]?.text).toMatch(/^Sent mails\.jsonl: 2\s500 tasks accepted$/));
  expect(screen.queryByRole('link')).toBeNull();
  expect(posted(calls).map(({ body }) => (body.tasks as unknown[]).length)).toEqual([1000, 1000, 500]);
  ui.toasts.toasts[0]?.actions[0]?.run();
  expect(window.location.hash).toBe('#/submit?tab=many');
});
