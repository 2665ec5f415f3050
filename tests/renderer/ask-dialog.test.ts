// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import AskDialog from '../../src-renderer/components/AskDialog.svelte';
import { giveDialogs } from './ui-world';

beforeEach(giveDialogs);
afterEach(cleanup);

function ask(typed: string | null) {
  const onconfirm = vi.fn();
  const onclose = vi.fn();
  const words = { title: 'Stop pool prints', lead: 'Its processes end.', verb: 'Stop 2 processes' };
  render(AskDialog, { ...words, typed, onconfirm, onclose });
  const button = screen.getByRole<HTMLButtonElement>('button', { name: words.verb });
  return { onconfirm, onclose, button };
}

it('lets nothing be confirmed before the very word is typed', async () => {
  const { button, onconfirm } = ask('prints');
  const field = screen.getByLabelText(/^Type prints/);
  for (const text of ['', 'print', 'Prints', 'prints ']) {
    await fireEvent.input(field, { target: { value: text } });
    expect(button.disabled, JSON.stringify(text)).toBe(true);
  }
  await fireEvent.input(field, { target: { value: 'prints' } });
  expect(button.disabled).toBe(false);
  await fireEvent.click(button);
  expect(onconfirm).toHaveBeenCalledOnce();
});

it('asks for no word where a click is enough, and begins on Cancel', async () => {
  const { button, onconfirm, onclose } = ask(null);
  const cancel = screen.getByRole('button', { name: 'Cancel' });
  expect([screen.queryByRole('textbox'), button.disabled, document.activeElement]).toEqual([null, false, cancel]);
  await fireEvent.click(cancel);
  expect([onconfirm, onclose].map((call) => call.mock.calls.length)).toEqual([0, 1]);
});
