/**
 * Whether the model test notices: each mutant of the scripts is run against the model until they differ. What comes of
 * each is a line in test-results/mutation.jsonl, for scripts/test-mutation.mjs, which asks the script tests about those
 * that the model did not see. Two files share the mutants, so that they run beside each other.
 */
import { appendFileSync } from 'node:fs';
import { afterAll, beforeAll, it } from 'vitest';
import { ModelWorld } from '../model/model-world';
import { triedMutants } from './sample';

const SEED = Number(process.env.MODEL_SEED ?? 20_261_126);
const RUNS = Number(process.env.MODEL_RUNS ?? 300);
const RESULTS = process.env.MUTATION_RESULTS;
const MS_A_MUTANT = 120_000;

export function testShard(part: 0 | 1): void {
  const mutants = triedMutants(SEED).filter((_, n) => n % 2 === part);
  let world: ModelWorld;
  beforeAll(async () => {
    world = await ModelWorld.start();
  });
  afterAll(() => world?.stop());

  it(
    `tries ${mutants.length} mutants of the scripts`,
    async () => {
      for (const { name, file, from, to, mutation } of mutants) {
        const { fault, runs } = await world.check(RUNS, SEED, mutation, false);
        const killed = fault !== null;
        process.stdout.write(`${killed ? 'killed' : 'not seen'} ${name} after ${runs} rows\n`);
        if (RESULTS !== undefined)
          appendFileSync(RESULTS, `${JSON.stringify({ name, file, from, to, killed, rows: runs })}\n`);
      }
    },
    mutants.length * MS_A_MUTANT,
  );
}
