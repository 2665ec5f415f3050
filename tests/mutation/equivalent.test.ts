import { expect, it } from 'vitest';
import type { Script } from '#queue/redis/script';
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

it('makes no mutant that leaves every script as it is', () => {
  const modules = import.meta.glob<Record<string, unknown>>('../../src-queue/redis/scripts/*.ts', { eager: true });
  const scripts = Object.values(modules)
    .flatMap((module) => Object.values(module))
    .filter(
      (value): value is Script<never, unknown> => typeof value === 'object' && value !== null && 'source' in value,
    );
  const idle = madeMutants.filter(({ mutation }) => scripts.every((script) => mutation(script) === script));
  expect(idle.map(({ name }) => name)).toEqual([]);
});
