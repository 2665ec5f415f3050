/** The model test in parts, one a file, so that they run beside each other. Each has rows of its own. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ModelWorld } from './model-world';

/** `npm run test:faults` asks for 20 000. */
const RUNS = Number(process.env.MODEL_RUNS ?? 200);
/** A part that failed prints it: with it, and as many runs, the part makes the same rows. */
const SEED = Number(process.env.MODEL_SEED ?? Date.now() % 2 ** 30);
const PARTS = 2;
const MS_A_RUN = 2000;

export function testRows(part: 1 | 2): void {
  let world: ModelWorld;
  beforeAll(async () => {
    world = await ModelWorld.start();
  });
  afterAll(() => world?.stop());

  it(
    `is what its model says after any row of calls, clock steps, lost scripts and crashes of Redis, part ${part} of ${PARTS}`,
    async () => {
      const { done, fault } = await world.check(Math.ceil(RUNS / PARTS), SEED * PARTS + part);
      const told = JSON.stringify({ part, MODEL_RUNS: RUNS, MODEL_SEED: SEED, ...done });
      expect(fault, told).toBeNull();
      process.stdout.write(`model: ${told}\n`);
    },
    RUNS * MS_A_RUN,
  );
}
