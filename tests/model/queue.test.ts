import { afterAll, beforeAll, expect, it } from 'vitest';
import { ModelWorld } from './model-world';

/** `npm run test:faults` asks for 20 000. */
const RUNS = Number(process.env.MODEL_RUNS ?? 200);
const SEED = process.env.MODEL_SEED === undefined ? Date.now() % 2 ** 31 : Number(process.env.MODEL_SEED);
const MS_A_RUN = 2000;

let world: ModelWorld;
beforeAll(async () => {
  world = await ModelWorld.start();
});
afterAll(() => world?.stop());

it(
  'is what its model says after any row of calls, clock steps, lost scripts and crashes of Redis',
  async () => {
    const { done, fault } = await world.check(RUNS, SEED);
    expect(fault).toBeNull();
    process.stdout.write(`model: ${JSON.stringify({ runs: RUNS, seed: SEED, ...done })}\n`);
  },
  RUNS * MS_A_RUN,
);
