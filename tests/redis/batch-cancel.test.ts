import { expect, it } from 'vitest';
import { systemClock } from '#queue/kernel/clock';
import { claimOne, submitAll, submitOne, workOnce } from '../support/engine';
import { engineOfFile } from '../support/engine-of-file';

const { connected } = await engineOfFile({ emptied: true });

const statusOf = async (id: string) => (await connected.reader.getTasks([id]))[0]?.status;

it('cancels the tasks of a batch with it while it sleeps, in whichever queue they are', async () => {
  const batch = await submitOne(connected, { type: 'batch_processing', priority: 10 });
  const task = await claimOne(connected, { types: ['batch_processing'] });
  const tags = [`batch:${batch}`];
  const [waiting = '', later = ''] = await submitAll(connected, [
    { queue: 'other-queue', tags },
    { tags, runAt: systemClock.now() + 60_000 },
  ]);
  const running = await submitOne(connected, { tags, priority: 10 });
  const child = await claimOne(connected);
  expect(child.id).toBe(running);
  const stranger = await submitOne(connected, { tags: ['batch:01J00000000000000000000000'] });
  await workOnce(connected, {
    want: 0,
    settles: [{ kind: 'snooze', id: batch, token: task.token, delayMs: 60_000 }],
  });
  expect(await statusOf(batch)).toBe('scheduled');
  expect(await connected.engine.cancel([batch], 'test')).toEqual(['cancelled']);
  expect(await Promise.all([waiting, later, running, stranger].map(statusOf))).toEqual([
    'cancelled',
    'cancelled',
    'processing',
    'pending',
  ]);
  expect((await connected.engine.extend('default', [child], 10_000)).cancelRequested).toEqual([running]);
  const history = await connected.reader.history(waiting);
  expect(history?.at(-1)).toMatchObject({ event: 'cancelled', detail: `its batch ${batch} was cancelled` });
});

it('cancels the tasks of a batch in a batch, and leaves those of a batch that has ended', async () => {
  const types = ['batch_processing'];
  const sleep = async (id: string) => {
    const { token } = await claimOne(connected, { types });
    const snooze = { kind: 'snooze', id, token, delayMs: 60_000 } as const;
    await workOnce(connected, { want: 0, settles: [snooze] });
  };
  const outer = await submitOne(connected, { type: 'batch_processing' });
  await sleep(outer);
  const inner = await submitOne(connected, { type: 'batch_processing', tags: [`batch:${outer}`] });
  await sleep(inner);
  const leaf = await submitOne(connected, { tags: [`batch:${inner}`] });
  await connected.engine.cancel([outer], 'test');
  expect(await Promise.all([outer, inner, leaf].map(statusOf))).toEqual(['cancelled', 'cancelled', 'cancelled']);
  await connected.engine.requeue([leaf]);
  expect(await connected.engine.cancel([outer], 'test')).toEqual(['final']);
  expect(await statusOf(leaf)).toBe('pending');
});

it('asks the tasks of a batch that runs, also where tags lead in a circle', async () => {
  const types = ['batch_processing'];
  const batch = await submitOne(connected, { type: 'batch_processing' });
  const other = await submitOne(connected, { type: 'batch_processing', tags: [`batch:${batch}`] });
  await connected.engine.patch(batch, { tags: [`batch:${other}`] });
  const leases = [await claimOne(connected, { types }), await claimOne(connected, { types })];
  expect(await connected.engine.cancel([batch], 'test')).toEqual(['asked']);
  expect((await connected.engine.extend('default', leases, 10_000)).cancelRequested.sort()).toEqual([batch, other]);
});
