/** Submits of many tasks go in parts: what is answered where one of them fails. */
import { afterEach, expect, it, vi } from 'vitest';
import { QueueError } from '#queue/contract/errors';
import { LIMITS } from '#queue/contract/limits';
import { taskSpec } from '../support/engine';
import { engineOfFile } from '../support/engine-of-file';
import { readQueue } from '../support/queue-snapshot';

const { connected } = await engineOfFile({ emptied: true });
afterEach(() => vi.restoreAllMocks());

const specs = Array.from({ length: 4 * LIMITS.submitPart }, () => taskSpec());
const stored = async () =>
  (await connected.store.command('read it all', (redis) => readQueue(redis, connected.store.keys, 'default'))).records;

/** Makes the submit scripts of these turns, from 0, fail before they are sent. */
function failing(...turns: number[]): void {
  const run = connected.store.run.bind(connected.store);
  let turn = 0;
  vi.spyOn(connected.store, 'run').mockImplementation((script, queue, input) =>
    script.name === 'submit' && turns.includes(turn++)
      ? Promise.reject(new QueueError('REDIS_FULL', 'full'))
      : run(script, queue, input),
  );
}

it('stores all of them, in the order given', async () => {
  const outcomes = await connected.engine.submitMany(specs);
  const ids = outcomes.map((outcome) => (outcome.ok ? outcome.id : ''));
  expect([...(await stored()).keys()].sort()).toEqual(ids.toSorted());
  const page = await connected.reader.listIds({ status: ['pending'] }, specs.length);
  expect(page.toReversed()).toEqual(ids);
});

it('answers each task for itself where a part fails, and sends no more', async () => {
  failing(1);
  const outcomes = await connected.engine.submitMany(specs);
  const accepted = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.id] : []));
  expect([...(await stored()).keys()].sort()).toEqual(accepted.toSorted());
  expect(outcomes.slice(0, LIMITS.submitPart).every(({ ok }) => ok)).toBe(true);
  expect(outcomes.at(-1)).toMatchObject({ ok: false, error: { code: 'REDIS_FULL' } });
  expect(outcomes[LIMITS.submitPart]).toMatchObject({ ok: false, error: { code: 'REDIS_FULL' } });
});

it('throws what the first part says where nothing is known to be stored', async () => {
  failing(0, 1);
  await expect(connected.engine.submitMany(specs)).rejects.toMatchObject({ code: 'REDIS_FULL' });
  expect((await stored()).size).toBe(0);
});
