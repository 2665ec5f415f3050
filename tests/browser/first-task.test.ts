import { afterAll, beforeAll, expect, it } from 'vitest';
import { list, newest } from '../support/console-steps';
import { ConsoleWorld } from '../support/console-world';

/** From the first page to a task that is seen to be done: what somebody may need who reads what is on screen. */
const MOST_STEPS = 6;
const MOST_MS = 30_000;

let world: ConsoleWorld;
beforeAll(async () => {
  world = await ConsoleWorld.start();
});
afterAll(() => world?.stop());

it('leads from the first page of a fresh server to a completed task by what is on screen', async () => {
  const began = performance.now();
  let steps = 0;
  const page = await world.page();
  const main = page.getByRole('main');
  await main.getByText('No task yet').waitFor();
  await main.getByText(/waits? for it/).waitFor(); // a worker is there: it says so

  const step = async (deed: Promise<unknown>) => {
    steps++;
    await deed;
  };
  await step(main.getByRole('link', { name: 'Submit task' }).click());
  await page.getByRole('heading', { name: 'Submit task' }).waitFor();
  await step(main.getByLabel('Type').first().fill('text_processing'));
  await step(
    main.getByRole('textbox', { name: /^Payload/ }).fill('{ "text": "The first sentence. And a second one." }'),
  );
  await step(main.getByRole('button', { name: /^Submit/ }).click());
  await step(main.getByRole('status').getByRole('link').first().click());
  const inspector = page.getByRole('complementary', { name: 'task' });
  await inspector
    .getByText(/^Completed/)
    .first()
    .waitFor();

  expect(steps).toBeLessThanOrEqual(MOST_STEPS);
  expect(performance.now() - began).toBeLessThan(MOST_MS);
  const done = await newest(world);
  expect(done).toMatchObject({ task_type: 'text_processing', status: 'completed' });
  expect(await inspector.textContent()).toContain(done.id);
  expect(world.takeErrors()).toEqual([]);
  await page.close();
});

it('says what is wrong with a form that was sent too early, and leads to the field', async () => {
  const page = await world.page('submit');
  const main = page.getByRole('main');
  await main.getByRole('button', { name: /^Submit/ }).click();
  const type = main.getByLabel('Type').first();
  await expect.poll(() => type.getAttribute('aria-invalid')).toBe('true');
  await type.fill('text_processing');
  await main.getByRole('textbox', { name: /^Payload/ }).fill('{ "text": ');
  const payload = main.getByRole('textbox', { name: /^Payload/ });
  await expect.poll(() => payload.getAttribute('aria-invalid')).toBe('true');
  expect(await main.getByRole('button', { name: /^Submit/ }).isDisabled()).toBe(true);
  const { total } = await list(world, '');
  expect(total).toBe(1); // that of the test before
  await page.close();
});
