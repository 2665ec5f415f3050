import { expect, it } from 'vitest';
import { claimOne, submitAll, submitOne, workOnce } from '../support/engine';
import { engineOfFile } from '../support/engine-of-file';

const { connected } = await engineOfFile({ emptied: true });

const passes = (ms: number) =>
  expect
    .poll(async () => (await connected.reader.queueState('default'))?.now ?? 0, { interval: 5, timeout: 5000 })
    .toBeGreaterThan(ms);

it('lets a task that has waited long enough go before fresh urgent ones', async () => {
  await connected.engine.setLimits('default', { agingMs: 20 });
  const patient = await submitOne(connected, { priority: 1 });
  const submitted = (await connected.reader.getTasks([patient]))[0]?.createdAt ?? 0;
  const early = await submitOne(connected, { priority: 10 });
  await passes(submitted + 9 * 20 + 5);
  const late = await submitOne(connected, { priority: 10 });
  const { claimed } = await workOnce(connected, { want: 3 });
  expect(claimed.map((task) => task.id)).toEqual([early, patient, late]);
});

it('keeps first in, first out within one priority, and lists and counts as ever', async () => {
  await connected.engine.setLimits('default', { agingMs: 60_000 });
  const ids = await submitAll(
    connected,
    Array.from({ length: 20 }, (_, index) => ({ priority: index % 2 === 0 ? 3 : 8 })),
  );
  const pages: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await connected.reader.listTasks({ status: ['pending'] }, { limit: 6, cursor });
    pages.push(...page.tasks.map((task) => task.id));
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(pages.sort()).toEqual([...ids].sort());
  expect((await connected.reader.queueState('default'))?.oldestPendingAt).not.toBeNull();
  const { claimed } = await workOnce(connected, { want: 20 });
  const odd = (_: string, index: number) => index % 2 === 1;
  expect(claimed.map((task) => task.id)).toEqual([...ids.filter(odd), ...ids.filter((id, index) => !odd(id, index))]);
});

it('puts a task that is handed back at its old place', async () => {
  await connected.engine.setLimits('default', { agingMs: 60_000 });
  const [first, second] = await submitAll(connected, [{}, {}]);
  const task = await claimOne(connected);
  await workOnce(connected, { want: 0, settles: [{ kind: 'release', id: task.id, token: task.token }] });
  const { claimed } = await workOnce(connected, { want: 2 });
  expect(claimed.map(({ id }) => id)).toEqual([first, second]);
});

it('cannot change while tasks are pending', async () => {
  await submitOne(connected);
  await expect(connected.engine.setLimits('default', { agingMs: 1000 })).rejects.toMatchObject({ code: 'CONFLICT' });
  await connected.engine.setLimits('default', { agingMs: null, concurrency: 5 });
});
