import { expect, it } from 'vitest';
import { RowSlots } from '../../src-renderer/components/row-slots';

const keysOf = (from: number, count = 10) => Array.from({ length: count }, (_, n) => `row-${from + n}`);

it('leaves rows that stay in their slots, and gives those of the others to the rows that come', () => {
  const slots = new RowSlots();
  const before = slots.place(keysOf(0));
  const after = slots.place(keysOf(3));
  for (const key of keysOf(3, 7)) expect(after.get(key)).toBe(before.get(key));
  expect([...after.values()].sort()).toEqual([...before.values()].sort());
});

it('needs no slot more after a jump, up or down, than it had rows', () => {
  const slots = new RowSlots();
  for (const from of [0, 5000, 4993, 20, 0, 99_990]) {
    const placed = slots.place(keysOf(from));
    expect([...placed.values()].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }
});

it('answers the same for the same rows, and follows a list that grows and shrinks', () => {
  const slots = new RowSlots();
  const five = slots.place(keysOf(0, 5));
  expect(slots.place(keysOf(0, 5))).toEqual(five);
  expect(new Set(slots.place(['new', ...keysOf(0, 5)]).values()).size).toBe(6);
  expect(slots.place(keysOf(2, 1)).get('row-2')).toBe(five.get('row-2'));
  expect(slots.place([]).size).toBe(0);
});
