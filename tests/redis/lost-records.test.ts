/** Records that are gone while their ids still lie in the sets, as after a restore of half a store: nothing hangs on them. */
import { expect, it } from 'vitest';
import { repair } from '#queue/redis/scripts/repair';
import { claimOne, failure, submitAll, submitOne, workOnce } from '../support/engine';
import { engineOfFile } from '../support/engine-of-file';
import { readQueue } from '../support/queue-snapshot';

const { connected } = await engineOfFile({ emptied: true });

const lose = (id: string) =>
  connected.store.command('lose it', (redis) => redis.del(connected.store.keys.of('default', `t:${id}`)));
const snapshot = () =>
  connected.store.command('read it all', (redis) => readQueue(redis, connected.store.keys, 'default'));
const SOON = () => Date.now() + 20;

/** Until so many are left. A tick that fails half way may have done this much: none does. */
async function ticked(set: 'scheduled' | 'expiring' | 'leases', left: number): Promise<void> {
  const failures: unknown[] = [];
  await expect
    .poll(
      async () => {
        await connected.engine.tick('default').catch((error: unknown) => failures.push(error));
        return (await snapshot()).sets[set].size;
      },
      { timeout: 10_000, interval: 50 },
    )
    .toBe(left);
  expect(failures).toEqual([]);
}

it('claims what stands behind a pending one, and forgets it', async () => {
  const [lost = '', next] = await submitAll(connected, [{}, {}]);
  await lose(lost);
  expect((await claimOne(connected)).id).toBe(next);
  expect((await snapshot()).sets.pending.size).toBe(0);
});

it.each(['scheduled', 'expiring'] as const)('moves none that was %s by a tick, and goes on', async (set) => {
  const times = () => (set === 'scheduled' ? { runAt: SOON() } : { expiresAt: SOON() });
  const [lost = '', other = ''] = await submitAll(connected, [times(), times()]);
  await lose(lost);
  await ticked(set, 0);
  const [task] = await connected.reader.getTasks([other]);
  expect(task?.status).toBe(set === 'scheduled' ? 'pending' : 'failed');
  const { sets } = await snapshot();
  expect([...sets.failed.keys(), ...sets.scheduled.keys()]).not.toContain(lost);
});

it('claims what comes due behind one that is scheduled', async () => {
  const [lost = '', other] = await submitAll(connected, [{ runAt: SOON() }, { runAt: SOON() }]);
  await lose(lost);
  await expect.poll(async () => (await workOnce(connected)).claimed[0]?.id).toBe(other);
  expect((await snapshot()).sets.scheduled.size).toBe(0);
});

it('ends a lease whose holder is not known any more', async () => {
  const id = await submitOne(connected);
  await claimOne(connected, { leaseMs: 1000 });
  await connected.store.command('lose it', (redis) => redis.del(connected.store.keys.of('default', 'active')));
  await connected.store.run(repair, 'default', { limit: 200, everyMs: 60_000, restMs: 60_000 });
  await connected.store.command('give it', (redis) => redis.zadd(connected.store.keys.of('default', 'leases'), 0, id));
  await ticked('leases', 0);
});

it.each(['complete', 'dead'] as const)('takes the end of a running one: %s', async (kind) => {
  await submitAll(connected, [{ uniqueKey: 'u' }]);
  const { id, token } = await claimOne(connected);
  await lose(id);
  const end = kind === 'complete' ? { kind, id, token, result: '1' } : { kind, id, token, error: failure() };
  expect((await workOnce(connected, { want: 0, settles: [end] })).verdicts).toEqual(['accepted']);
  const { sets, active } = await snapshot();
  expect([sets.leases.size, active.size]).toEqual([0, 0]);
});

it('ends its lease without bringing it back', async () => {
  await submitOne(connected);
  const { id } = await claimOne(connected, { leaseMs: 1000 });
  await lose(id);
  await ticked('leases', 0);
  const { sets, active } = await snapshot();
  expect([sets.pending.size, active.size]).toEqual([0, 0]);
});

it('is gone for cancel, requeue and remove', async () => {
  const id = await submitOne(connected);
  await lose(id);
  expect(await connected.engine.cancel([id], 'test')).toEqual(['gone']);
  expect(await connected.engine.requeue([id])).toEqual(['gone']);
  expect(await connected.engine.remove([id])).toEqual(['gone']);
});
