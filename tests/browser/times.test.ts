import { afterAll, beforeAll, expect, it } from 'vitest';
import { livePage } from '../support/console-steps';
import { ConsoleWorld, fillWithTasks } from '../support/console-world';

let world: ConsoleWorld;
beforeAll(async () => {
  world = await ConsoleWorld.start();
  await fillWithTasks(world);
  const requeue = { filter: { task_type: ['api_call'] }, expected_count: 5, rate: 0.1 };
  expect((await world.api.call('POST', '/api/dlq/requeue', requeue)).status).toBe(202);
});
afterAll(() => world?.stop());

it.each(['tasks', 'failures', 'failures/tasks', 'operations', 'audit'])(
  '%s writes its moments as the settings want them',
  async (view) => {
    const page = await livePage(world, view);
    const moments = page.getByRole('main').getByRole('row').locator('time');
    await moments.first().waitFor();
    const all = async () => (await moments.allTextContents()).filter((text) => text !== '');
    for (const [choice, form] of [
      ['UTC', /^(\d+ \w+ )?\d\d:\d\d:\d\d UTC$/],
      ['This computer', /^(\d+ \w+ )?\d\d:\d\d:\d\d$/],
    ] as const) {
      await page.goto(`${world.base}/#/settings`);
      await page.getByRole('group', { name: 'Times' }).getByRole('button', { name: choice }).click();
      await page.goto(`${world.base}/#/${view}`);
      await moments.first().waitFor();
      const texts = await all();
      expect(texts).not.toEqual([]);
      for (const text of texts) expect(text).toMatch(form);
    }
    await page.context().close();
  },
);
