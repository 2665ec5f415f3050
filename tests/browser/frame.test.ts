import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConsoleWorld, fillWithTasks } from '../support/console-world';

let world: ConsoleWorld;
beforeAll(async () => {
  world = await ConsoleWorld.start();
  await fillWithTasks(world);
});
afterAll(() => world?.stop());

const heading = 'main h1';

describe('the keyboard', () => {
  it('goes to every view by two letters, and not while somebody types', async () => {
    const page = await world.page();
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
    for (const [keys, title] of [
      ['gf', 'Failures'],
      ['gt', 'Tasks'],
      ['gq', 'Queues'],
      ['gw', 'Workers'],
      ['gp', 'Operations'],
      ['gm', 'Metrics'],
      ['ga', 'Audit'],
      ['go', 'Overview'],
    ] as const) {
      await page.keyboard.type(keys);
      await page.locator(heading, { hasText: title }).waitFor();
    }
    await page.keyboard.type('gq');
    await page.getByRole('textbox', { name: 'Filter queues' }).click();
    await page.keyboard.type('gf');
    expect(await page.locator(heading).textContent()).toContain('Queues');
    await page.close();
  });

  it('has its shortcuts on a sheet, which closes with Escape and gives the focus back', async () => {
    const page = await world.page();
    const button = page.getByRole('button', { name: 'Keyboard shortcuts' });
    await button.click();
    const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    await sheet.getByText('Failures').first().waitFor();
    await page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'detached' });
    expect(await page.evaluate('document.activeElement.ariaLabel')).toBe('Keyboard shortcuts');
    await page.close();
  });
});

describe('the palette', () => {
  it('finds views and actions by the beginnings of their words', async () => {
    const page = await world.page();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Command, screen or task id' }).fill('dark');
    await page.keyboard.press('Enter');
    expect(await page.locator('html').getAttribute('data-theme')).toBe('dark');
    await page.close();
  });

  it('opens any task by its id', async () => {
    const task = await world.api.submit({ task_type: 'text_processing', payload: { text: 'find me' } });
    const page = await world.page();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill(task.id.toLowerCase());
    await page.getByRole('option', { name: `Open task ${task.id}` }).click();
    await page.getByRole('complementary').getByText(task.id).first().waitFor();
    await page.close();
  });
});

it('remembers theme and density, and shows no error anywhere', async () => {
  const page = await world.page();
  await page.evaluate(
    "localStorage.setItem('millrace.theme', 'dark'); localStorage.setItem('millrace.density', 'cozy')",
  );
  await page.reload();
  const root = page.locator('html');
  expect([await root.getAttribute('data-theme'), await root.getAttribute('data-density')]).toEqual(['dark', 'cozy']);
  expect(world.takeErrors()).toEqual([]);
  await page.close();
});
