// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Command } from '../../src-renderer/commands.svelte';
import Palette from '../../src-renderer/frame/Palette.svelte';
import { idOf, taskOf } from '../support/wire';
import { giveDialogs, uiWorld } from './ui-world';

beforeEach(() => {
  giveDialogs();
  Element.prototype.scrollIntoView = vi.fn(); // jsdom has no layout
});
afterEach(cleanup);

const run = vi.fn();
const COMMANDS: readonly Command[] = [
  { id: 'go', title: 'Queue payments', group: 'Go to', note: '5 204 pending, ETA never', run },
  { id: 'pause', title: 'Pause queue payments', group: 'Actions', keys: 'p', consequence: 'Stops new tasks.', run },
  { id: 'purge', title: 'Purge payments…', group: 'Actions', refusal: 'Read-only: unlock first', run },
];

function open(tasks: readonly unknown[] = []) {
  const world = uiWorld(() => ({ body: { tasks, next_cursor: null, total: tasks.length, total_exact: true } }));
  world.ui.commands.add(() => COMMANDS);
  const [onclose, ontask, onsearch] = [vi.fn(), vi.fn(), vi.fn()];
  render(Palette, { ui: world.ui, environment: 'local', onclose, ontask, onsearch });
  const field = screen.getByRole('combobox');
  const type = (value: string) => fireEvent.input(field, { target: { value } });
  const names = () => screen.getAllByRole('option').map((option) => option.textContent?.replace(/\s+/g, ' ').trim());
  return { ...world, field, type, names, ontask, onsearch };
}

it('puts what it finds in groups: what is done, where one may go, tasks last; each with how things stand', async () => {
  const { type, names } = open();
  await type('pay');
  expect(screen.getAllByRole('group').map((group) => group.querySelector('[role=presentation]')?.textContent)).toEqual([
    'Actions',
    'Go to',
    'Tasks',
  ]);
  expect(names()).toEqual([
    'Pause queue payments P',
    'Purge payments…',
    'Queue payments 5 204 pending, ETA never',
    'Search tasks for “pay”',
  ]);
});

it('says at its foot what follows from the chosen row, or why it cannot be done', async () => {
  const { type, field } = open();
  await type('pay');
  expect(screen.getByText('Stops new tasks.')).toBeTruthy();
  await fireEvent.keyDown(field, { key: 'ArrowDown' });
  expect(screen.getByText('Read-only: unlock first')).toBeTruthy();
  await fireEvent.keyDown(field, { key: 'Enter' });
  expect(run).not.toHaveBeenCalled();
});

it('finds the newest tasks of a type that begins so, a moment after the last key', async () => {
  const task = taskOf(1, { task_type: 'payout.daily', name: 'nightly payout run', status: 'pending' });
  const { type, time, calls, names, ontask } = open([task]);
  await type('payout');
  expect(calls).toEqual([]);
  time.advance(250);
  await waitFor(() => expect(names()).toContain('payout.daily nightly payout run pending'));
  expect(calls.map(({ path }) => path)).toEqual(['/api/tasks?task_type=payout*&limit=3']);
  await fireEvent.click(screen.getByText('payout', { selector: '.mono b' }));
  expect(ontask).toHaveBeenCalledExactlyOnceWith(task.id);
  expect(task.id).toBe(idOf(1));
});

it('asks the server nothing for a letter or two, or for what is no type', async () => {
  const { type, time, calls } = open();
  await type('pa');
  time.advance(1000);
  await type('pause pay');
  time.advance(1000);
  expect(calls).toEqual([]);
});
