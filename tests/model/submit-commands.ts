/** Tasks come in. What a call needs of what there is, is drawn by number from everything there has ever been. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { type SubmitEntry, submit } from '#queue/redis/scripts/submit';
import { command, pick } from './model-command';

const delayMs = fc.constantFrom(0, 5, 1000, 60_000);
const taskType = fc.constantFrom('a', 'a', 'a', 'b');

interface Drawn {
  type: 'a' | 'b';
  priority: number;
  retries: number;
  delay: number | null;
  expires: number | null;
  unique: string | null;
  key: string | null;
  hash: string;
  name: string | null;
  owner: string | null;
  again: boolean;
  /** Earlier tasks on which it depends. */
  parents: number[];
}

/** @param ready it can run at once */
const drawnWith = (free: number, reach: number, ready: boolean): fc.Arbitrary<Drawn> =>
  fc.record({
    type: taskType as fc.Arbitrary<'a' | 'b'>,
    priority: fc.constantFrom(1, 5, 5, 5, 10),
    retries: fc.constantFrom(0, 1, 3),
    delay: ready ? fc.constant(null) : fc.option(delayMs, { freq: 2 }),
    expires: fc.option(fc.constantFrom(0, 500, 30_000), { freq: 4 }),
    unique: fc.option(fc.constantFrom('u1', 'u2'), { freq: 4 }),
    key: fc.option(fc.constantFrom('k1', 'k2'), { freq: 4 }),
    hash: fc.constantFrom('h1', 'h1', 'h2'),
    name: fc.option(fc.constantFrom('Nightly', 'n2'), { freq: 2 }),
    owner: fc.option(fc.constantFrom('o1', 'o2'), { freq: 2 }),
    again: fc.boolean(),
    parents: fc.oneof(
      { arbitrary: fc.constant<number[]>([]), weight: free },
      { arbitrary: fc.array(fc.nat({ max: reach }), { minLength: 1, maxLength: 2 }), weight: ready ? 0 : 1 },
    ),
  });

/** @param free so many to one do not depend on others @param reach those are of so many of the newest */
const submitsWith = (free: number, reach: number, ready = false) =>
  fc.array(drawnWith(free, reach, ready), { minLength: 1, maxLength: 5 }).map((tasks) =>
    command(`submit ${JSON.stringify(tasks)}`, async (model, world) => {
      const entries = tasks.map((task, n): SubmitEntry => {
        const known = task.again && n === 0 ? world.ids.at(-1) : undefined;
        const id = known ?? `T${String(world.ids.length).padStart(25, '0')}`;
        if (known === undefined) world.ids.push(id);
        return {
          id,
          type: task.type,
          priority: task.priority,
          payload: '{}',
          name: task.name,
          maxRetries: task.retries,
          timeoutMs: 300_000,
          backoff: { type: 'exponential', baseMs: 1000, maxMs: 300_000, jitter: 0.2 },
          runAt: task.delay === null ? null : model.clock.wall() + task.delay,
          expiresAt: task.expires === null ? null : model.clock.wall() + task.expires,
          dependsOn: task.parents.flatMap((nth) => pick(world.ids.slice(0, -1 - n), nth) ?? []),
          tags: task.again ? ['again', 'x'] : [],
          owner: task.owner,
          idempotencyKey: task.key,
          bodyHash: task.key === null ? null : task.hash.padEnd(8, '0'),
          uniqueKey: task.unique,
        };
      });
      const isNew = model.seq === 0;
      const { verdicts, fresh } = await world.run(submit, entries);
      expect(fresh).toBe(isNew);
      expect(verdicts).toEqual(model.submit(entries));
      const handed = model.handed.splice(0);
      world.done.handed += handed.length;
      world.tokens.push(...handed);
    }),
  );

export const submits = submitsWith(4, 40);
export const submitsOfKin = submitsWith(1, 4);
export const submitsOfReady = submitsWith(1, 0, true);
