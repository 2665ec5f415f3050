import { describe, expect, it } from 'vitest';
import { TASK_STATUSES, type TaskStatus, TRANSITIONS } from '#queue/contract/lifecycle';
import type { ClaimedTask, Settle } from '#queue/engine/ports';
import { claimOne, failure, submitOne, workOnce } from '../support/engine';
import { engineOfFile } from '../support/engine-of-file';

const { connected } = await engineOfFile({ emptied: true });

const FAR = Date.now() + 86_400_000;
const settle = (settled: Settle) => workOnce(connected, { want: 0, settles: [settled] });
const statusOf = async (id: string): Promise<TaskStatus | 'none'> =>
  (await connected.reader.getTasks([id]))[0]?.status ?? 'none';

/** Brings a task into a status; answers its claim where it had one. */
const MAKE: Record<TaskStatus, () => Promise<{ id: string; claim: ClaimedTask | null }>> = {
  pending: async () => ({ id: await submitOne(connected), claim: null }),
  scheduled: async () => ({ id: await submitOne(connected, { runAt: FAR }), claim: null }),
  blocked: async () => {
    const parent = await submitOne(connected, { queue: 'parents' });
    return { id: await submitOne(connected, { dependsOn: [parent] }), claim: null };
  },
  processing: async () => {
    const id = await submitOne(connected);
    return { id, claim: await claimOne(connected) };
  },
  retrying: async () => {
    const id = await submitOne(connected);
    const claim = await claimOne(connected);
    await settle({ kind: 'fail', id, token: claim.token, retryInMs: 60_000, error: failure() });
    return { id, claim };
  },
  completed: async () => {
    const id = await submitOne(connected);
    const claim = await claimOne(connected);
    await settle({ kind: 'complete', id, token: claim.token, result: '1' });
    return { id, claim };
  },
  failed: async () => {
    const id = await submitOne(connected);
    const claim = await claimOne(connected);
    await settle({ kind: 'dead', id, token: claim.token, error: failure() });
    return { id, claim };
  },
  cancelled: async () => {
    const id = await submitOne(connected);
    await connected.engine.cancel([id], 'test');
    return { id, claim: null };
  },
};

const token = (claim: ClaimedTask | null) => claim?.token ?? '1:none';
const VERBS: Record<string, (id: string, claim: ClaimedTask | null) => Promise<unknown>> = {
  claim: () => workOnce(connected, { want: 10 }),
  complete: (id, claim) => settle({ kind: 'complete', id, token: token(claim), result: '2' }),
  fail: (id, claim) => settle({ kind: 'fail', id, token: token(claim), retryInMs: 60_000, error: failure() }),
  'fail for good': (id, claim) => settle({ kind: 'dead', id, token: token(claim), error: failure() }),
  'end as cancelled': (id, claim) => settle({ kind: 'cancelled', id, token: token(claim), reason: 'test' }),
  release: (id, claim) => settle({ kind: 'release', id, token: token(claim) }),
  snooze: (id, claim) => settle({ kind: 'snooze', id, token: token(claim), delayMs: 60_000 }),
  extend: (id, claim) => connected.engine.extend('default', [{ id, token: token(claim) }], 10_000),
  report: (id, claim) =>
    connected.engine.report('default', [
      { id, token: token(claim), progress: { percent: 1, message: null }, logs: [] },
    ]),
  cancel: (id) => connected.engine.cancel([id], 'test'),
  requeue: (id) => connected.engine.requeue([id]),
  remove: (id) => connected.engine.remove([id]),
  patch: (id) => connected.engine.patch(id, { priority: 9 }),
  tick: () => connected.engine.tick('default'),
  purge: () => connected.engine.purge('default'),
};

describe.each(TASK_STATUSES)('from %s', (status) => {
  it.each(Object.keys(VERBS))('%s makes only a move that the table has', async (verb) => {
    const { id, claim } = await MAKE[status]();
    expect(await statusOf(id)).toBe(status);
    await VERBS[verb]?.(id, claim);
    const after = await statusOf(id);
    const known = after === status || TRANSITIONS.some(({ from, to }) => from === status && to === after);
    expect(known, `${status} → ${after} by ${verb}`).toBe(true);
    expect(await inSets(id)).toBe(after === 'none' ? 0 : 1);
  });
});

/** In how many of the sets that are a status the task lies. */
async function inSets(id: string): Promise<number> {
  const sets = ['pending', 'parked', 'scheduled', 'retrying', 'blocked', 'leases', 'completed', 'failed', 'cancelled'];
  const scores = await connected.store.command('look', (redis) =>
    Promise.all(sets.map((set) => redis.zscore(connected.store.keys.of('default', set), id))),
  );
  return scores.filter((score) => score !== null).length;
}
