import { afterAll, beforeAll, expect, it } from 'vitest';
import { ConsoleWorld, fillWithTasks, VIEWS } from '../support/console-world';

/** What a name needs to be told from others. */
const LEAST_PX = 80;

let world: ConsoleWorld;
beforeAll(async () => {
  world = await ConsoleWorld.start();
  await fillWithTasks(world);
});
afterAll(() => world?.stop());

it.each([1024, 1280, 1920])('has room for every table that it shows, at %i px', async (width) => {
  const page = await world.page('', { width, height: 800 });
  const cramped: string[] = [];
  for (const view of VIEWS) {
    await page.goto(`${world.base}/#/${view}`);
    await page.getByRole('main').getByRole('heading', { level: 1 }).waitFor();
    await page.locator('main .sk').first().waitFor({ state: 'detached' });
    const found = await page.getByRole('main').evaluate((main, least) => {
      const outside = main.scrollWidth > main.clientWidth ? ['wider than the window'] : [];
      // Columns of a fixed width are as wide as they are; one takes what is left.
      const heads = [...main.querySelectorAll<HTMLElement>('th')].filter((head) => head.offsetParent !== null);
      const narrow = heads.filter(
        (head) =>
          !head.classList.contains('num') &&
          head.style.width === '' &&
          head.textContent !== '' &&
          head.offsetWidth < least,
      );
      const outsideWindow = heads.filter((head) => head.getBoundingClientRect().right > innerWidth + 1);
      return [
        ...outside,
        ...narrow.map((head) => `${head.textContent?.trim()}: ${head.offsetWidth} px`),
        ...outsideWindow.map((head) => `${head.textContent?.trim()}: out of sight`),
      ];
    }, LEAST_PX);
    cramped.push(...found.map((what) => `${view}: ${what}`));
  }
  expect(cramped).toEqual([]);
  await page.context().close();
});
