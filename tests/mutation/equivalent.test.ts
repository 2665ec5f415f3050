import { expect, it } from 'vitest';
import { EQUIVALENT, EQUIVALENT_LINES } from './equivalent';
import { madeMutants } from './sample';

it('knows every mutant that is left out', () => {
  const made = new Set(madeMutants.map(({ name }) => name));
  for (const { names } of EQUIVALENT_LINES)
    expect(
      [...made].some((name) => names.test(name)),
      String(names),
    ).toBe(true);
  expect(Object.keys(EQUIVALENT).filter((name) => !made.has(name))).toEqual([]);
});
