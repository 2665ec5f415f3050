// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, it } from 'vitest';
import PayloadTreeView from '../../src-renderer/views/tasks/parts/PayloadTreeView.svelte';
import { giveLayout } from './ui-world';

beforeEach(() => giveLayout());
afterEach(cleanup);

/** More than a mebibyte. */
const LARGE = JSON.stringify({
  id: 1,
  rows: Array.from({ length: 24_000 }, (_, n) => ({ n, text: `row ${n}`, tags: ['a', 'b'] })),
});

it('shows a payload of a mebibyte with a bounded number of nodes, closed and open', async () => {
  expect(LARGE.length).toBeGreaterThan(1024 * 1024);
  const { container } = render(PayloadTreeView, { text: LARGE, label: 'Payload' });
  expect(container.querySelectorAll('*').length).toBeLessThan(100);
  const rows = screen.getByText('[24000]');
  await fireEvent.click(rows);
  expect(screen.getAllByRole('treeitem').length).toBeGreaterThan(2);
  expect(container.querySelectorAll('*').length).toBeLessThan(400);
});

it('opens and closes by keys, and shows numbers as they are written', async () => {
  render(PayloadTreeView, {
    text: `{"big":12345678901234567890,"pad":"${'x'.repeat(2000)}","in":{"a":1.50}}`,
    label: 'Payload',
  });
  expect(screen.getByText('12345678901234567890')).toBeTruthy();
  const tree = screen.getByRole('tree');
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight']) await fireEvent.keyDown(tree, { key });
  expect(screen.getByText('1.50')).toBeTruthy();
  await fireEvent.keyDown(tree, { key: 'ArrowLeft' });
  expect(screen.queryByText('1.50')).toBeNull();
});
