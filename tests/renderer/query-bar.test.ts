import { expect, it } from 'vitest';
import { writeTerm } from '../../src-renderer/query/fields';
import { QueryBarStore } from '../../src-renderer/stores/query-bar.svelte';

function setup(text: string) {
  const bar = new QueryBarStore(() => Date.UTC(2026, 10, 22, 12));
  bar.take(text);
  return { bar, chips: () => bar.chips.map(writeTerm) };
}

it('shows a query as chips, and what is wrong in it as text to mend', () => {
  const { bar, chips } = setup('state:failed foo:bar queue:payments');
  expect(chips()).toEqual(['state:failed', 'queue:payments']);
  expect(bar.draft).toBe('foo:bar');
  expect(bar.error).toContain('foo is not a field');
});

it('turns what is typed into chips, and says nothing while it is still being typed', () => {
  const { bar, chips } = setup('state:failed');
  bar.type('queue:');
  expect(bar.error).toBe('');
  expect(bar.commit()).toBeNull();
  expect(bar.error).toContain('has no value');
  expect(bar.suggestions).toEqual([]);
  bar.type('queue:payments');
  expect(bar.endsTerm).toBe(true);
  expect(bar.commit()).toBe('state:failed queue:payments');
  expect(chips()).toEqual(['state:failed', 'queue:payments']);
  expect(bar.draft).toBe('');
});

it('makes the last chip text again, and removes any', () => {
  const { bar, chips } = setup('state:failed "a b" queue:payments');
  bar.edit(1);
  expect([bar.draft, chips()]).toEqual(['"a b"', ['state:failed', 'queue:payments']]);
  bar.clearDraft();
  expect(bar.remove(0)).toBe('queue:payments');
});

it('keeps blanks in free words and in quotes', () => {
  const { bar } = setup('');
  bar.type('order');
  expect(bar.endsTerm).toBe(false);
  bar.type('tag:"tenant');
  expect(bar.endsTerm).toBe(false);
  expect(bar.commit()).toBeNull();
});

it('completes a field, then its value, by keys', () => {
  const { bar } = setup('');
  bar.type('que');
  bar.move(1);
  const [field] = bar.suggestions;
  if (field === undefined) throw new Error('nothing is offered');
  expect(bar.choose(field)).toBeNull();
  expect(bar.draft).toBe('queue:');
  bar.values = [{ value: 'payments', count: 12 }];
  bar.move(1);
  const value = bar.suggestions[bar.chosen];
  if (value === undefined) throw new Error('nothing is chosen');
  expect(bar.choose(value)).toBe('queue:payments');
});

it('does not take back what it has just handed out', () => {
  const { bar, chips } = setup('');
  bar.type('queue:a');
  const text = bar.commit() ?? '';
  bar.type('sta');
  bar.take(text);
  expect([bar.draft, chips()]).toEqual(['sta', ['queue:a']]);
});
