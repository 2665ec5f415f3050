import { expect, it } from 'vitest';
import { EQUIVALENT } from './equivalent';
import { madeMutants } from './sample';

it('knows every mutant that is left out', () => {
  const names = new Set(madeMutants.map(({ name }) => name));
  expect(Object.keys(EQUIVALENT).filter((name) => !names.has(name))).toEqual([]);
});
