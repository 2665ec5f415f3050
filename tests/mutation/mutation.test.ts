/**
 * Whether the model test would notice: each mutant of the scripts is run against the model until they differ. Those that
 * no test can tell from the real script stand in `equivalent.ts`, each with its reason.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ModelWorld } from '../model/model-world';
import { EQUIVALENT } from './equivalent';
import { makeMutants } from './mutants';

const SEED = Number(process.env.MODEL_SEED ?? 20_261_126);
/** Of all mutants so many, evenly over the files. */
const SAMPLE = Number(process.env.MUTANTS ?? 120);
const RUNS = Number(process.env.MODEL_RUNS ?? 400);
const LEAST_SCORE = 0.95;
const MS_A_MUTANT = 180_000;

/** Scripts that only read, and the reading piece, are held by the tests of the API. */
const sources = import.meta.glob<string>(
  [
    '../../src-queue/redis/scripts/{cancel,configure,depend,extend,outbox,patch,prune,remove,report,requeue}.lua',
    '../../src-queue/redis/scripts/{serve,submit,tick,unblock,work}.lua',
    '../../src-queue/redis/scripts/lib/{queue,endings,removal}.lua',
  ],
  { query: '?raw', import: 'default', eager: true },
);

const byName = Object.fromEntries(
  Object.entries(sources).map(([path, text]) => [path.slice(path.lastIndexOf('/') + 1), text]),
);
const made = makeMutants(byName);
const all = made.filter(({ name }) => EQUIVALENT[name] === undefined);
const mutants = all.filter(
  (_, n) => Math.floor((n * SAMPLE) / all.length) !== Math.floor(((n - 1) * SAMPLE) / all.length),
);

it('knows every mutant that it leaves out', () => {
  const names = new Set(made.map(({ name }) => name));
  expect(Object.keys(EQUIVALENT).filter((name) => !names.has(name))).toEqual([]);
});

let world: ModelWorld;
beforeAll(async () => {
  world = await ModelWorld.start();
});
afterAll(() => world?.stop());

it(
  `kills at least 95 of 100 mutants of the scripts`,
  async () => {
    const survivors: string[] = [];
    for (const { name, mutation } of mutants) {
      const { fault, runs } = await world.check(RUNS, SEED, mutation, false);
      if (fault === null) survivors.push(name);
      process.stdout.write(`${fault === null ? 'SURVIVED' : 'killed'} ${name} after ${runs}\n`);
    }
    const score = (mutants.length - survivors.length) / mutants.length;
    process.stdout.write(
      `mutation: ${JSON.stringify({ mutants: mutants.length, of: all.length, survivors, score: Number(score.toFixed(3)) })}\n`,
    );
    expect(score).toBeGreaterThanOrEqual(LEAST_SCORE);
  },
  SAMPLE * MS_A_MUTANT,
);
