import { afterAll, beforeAll, expect, it } from 'vitest';
import { ConsoleWorld, fillWithTasks } from '../support/console-world';

let world: ConsoleWorld;
beforeAll(async () => {
  world = await ConsoleWorld.start();
  await fillWithTasks(world);
});
afterAll(() => world?.stop());

it('says at once that the server is gone, drains the colour, and is live again by itself', async () => {
  const page = await world.page();
  const status = page.getByRole('contentinfo').getByRole('status');
  await status.filter({ hasText: 'Live' }).waitFor();
  await world.killServer();
  await status.filter({ hasText: /Reconnecting|Connecting/ }).waitFor({ timeout: 2000 });
  await page.getByRole('alert').filter({ hasText: 'No connection to' }).waitFor();
  expect(await page.locator('main').getAttribute('class')).toContain('is-stale');
  await world.startServer();
  await status.filter({ hasText: 'Live' }).waitFor({ timeout: 30_000 });
  await page.getByRole('alert').waitFor({ state: 'detached' });
  await page.locator('main:not(.is-stale)').waitFor();
  const task = await world.api.submit({ task_type: 'text_processing', payload: { text: 'after the restart' } });
  await world.api.until(task.id, 'completed');
  await page.goto(`${world.base}/#/tasks?id=${task.id}`);
  await page.getByRole('complementary').getByText('Completed').first().waitFor();
  await page.close();
});

it('says that Redis does not answer while the server is there, and since when, and is live when it does', async () => {
  const page = await world.page();
  const status = page.getByRole('contentinfo').getByRole('status');
  await status.filter({ hasText: 'Live' }).waitFor();
  const pid = world.redisPid;
  process.kill(pid, 'SIGSTOP');
  try {
    await status.filter({ hasText: 'Redis is down' }).waitFor({ timeout: 10_000 });
    await page
      .getByRole('alert')
      .filter({ hasText: /Redis is unreachable since \d\d:\d\d:\d\d/ })
      .waitFor();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await status.filter({ hasText: 'Live' }).waitFor({ timeout: 30_000 });
  await page.getByRole('alert').waitFor({ state: 'detached' });
  await page.close();
});

it('is live again by itself after Redis was killed, with what had been accepted', async () => {
  const page = await world.page();
  const status = page.getByRole('contentinfo').getByRole('status');
  await status.filter({ hasText: 'Live' }).waitFor();
  const task = await world.api.submit({ task_type: 'nobody.serves.it', payload: { kept: true } });
  const before = world.redisPid;
  process.kill(before, 'SIGKILL');
  await status.filter({ hasText: 'Redis is down' }).waitFor({ timeout: 10_000 });
  await status.filter({ hasText: 'Live' }).waitFor({ timeout: 30_000 });
  expect(world.redisPid).not.toBe(before);
  await page.goto(`${world.base}/#/tasks?id=${task.id}`);
  await page.getByRole('complementary').getByText(task.id).first().waitFor();
  expect(world.takeErrors()).toEqual([]);
  await page.close();
});
