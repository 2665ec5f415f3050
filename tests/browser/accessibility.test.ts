import AxeBuilder from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConsoleWorld, fillWithTasks, VIEWS } from '../support/console-world';

let world: ConsoleWorld;
beforeAll(async () => {
  world = await ConsoleWorld.start();
  await fillWithTasks(world);
});
afterAll(() => world?.stop());

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  it.each(VIEWS)('%s has names, roles and contrast that axe finds nothing to object to', async (view) => {
    const page = await world.page(view, { theme });
    await page.getByRole('main').getByRole('heading', { level: 1 }).waitFor();
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
    await page.locator('main .sk').first().waitFor({ state: 'detached' }); // what is being read has come
    const { violations } = await new AxeBuilder({ page }).analyze();
    const found = violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`,
    );
    expect(found).toEqual([]);
    expect(world.takeErrors()).toEqual([]);
    await page.close();
  });
});
