import type { Page } from '@playwright/test';
import { afterEach, describe, expect, it } from 'vitest';
import { livePage, operations, submitAll, untilTotal } from '../support/console-steps';
import { ConsoleWorld } from '../support/console-world';
import { waitFor } from '../support/millrace-process';

/** More than the list reads at once. */
const MANY = 230;
/** Nobody serves it: they wait until something is done to them. */
const TYPE = 'nobody.serves.it';

let world: ConsoleWorld | undefined;
afterEach(async () => {
  await world?.stop();
  world = undefined;
});

async function start(level: string): Promise<ConsoleWorld> {
  world = await ConsoleWorld.start({
    args: ['--workers', '0'],
    env: { MILLRACE_SAFE_MODE: level, MILLRACE_ENVIRONMENT: 'staging' },
  });
  return world;
}

const waiting = (count: number) => Array.from({ length: count }, () => ({ task_type: TYPE, queue: 'orders' }));

/** All that match, though fewer are loaded. */
async function selectAllMatching(page: Page, count: number): Promise<void> {
  await page.getByRole('main').getByText(`${count} match`).waitFor();
  const grid = page.getByRole('grid', { name: 'Tasks' });
  await grid.getByRole('row').nth(1).waitFor();
  const loaded = await page
    .getByRole('main')
    .getByText(/^newest \d+ shown$/)
    .textContent();
  expect(Number(loaded?.match(/\d+/)?.[0])).toBeLessThan(count);
  await grid.getByRole('checkbox', { name: 'Check all that are loaded' }).click();
  const bar = page.getByRole('region', { name: 'Selection' });
  await bar.getByRole('button', { name: `Select all ${count} matching` }).click();
  await bar.getByText(`Selected: all ${count} matching`).waitFor();
}

const confirmation = (page: Page) => page.getByRole('dialog').getByLabel(/^Type .* to confirm$/);

describe('where the connection wants its actions confirmed', () => {
  it('cancels all that match, beyond the page, once the queue is typed', async () => {
    const world = await start('confirm');
    await submitAll(world, waiting(MANY));
    const page = await livePage(world, `tasks?query=${encodeURIComponent('queue:orders')}`);
    await selectAllMatching(page, MANY);
    await page.getByRole('region', { name: 'Selection' }).getByRole('button', { name: 'Cancel…' }).click();

    const dialog = page.getByRole('dialog', { name: `Cancel ${MANY} tasks in orders on STAGING` });
    await dialog.getByText('nothing has changed').waitFor();
    await dialog.getByText('queue:orders', { exact: true }).waitFor();
    const button = dialog.getByRole('button', { name: `Cancel ${MANY} tasks` });
    expect(await button.isDisabled()).toBe(true);
    await confirmation(page).fill('order');
    expect(await button.isDisabled()).toBe(true);
    await confirmation(page).fill('orders');
    await button.click();

    await page.getByText(`Cancelling ${MANY} tasks`).waitFor();
    await untilTotal(world, 'status=cancelled', MANY);
    const [ended] = await operations(world);
    expect(ended).toMatchObject({ action: 'cancel', matched: MANY, filter: { queue: 'orders' } });
    expect(world.takeErrors()).toEqual([]);
  });

  it('changes nothing while the dialog only counts, and Enter in its field confirms nothing', async () => {
    const world = await start('confirm');
    await submitAll(world, waiting(MANY));
    const page = await livePage(world, 'tasks');
    await selectAllMatching(page, MANY);
    await page.getByRole('region', { name: 'Selection' }).getByRole('button', { name: 'Delete…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('This cannot be taken back.', { exact: false }).first().waitFor();
    await confirmation(page).fill('orders');
    await confirmation(page).press('Enter');
    await dialog.getByRole('button', { name: 'Cancel', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await operations(world)).toEqual([]);
    await untilTotal(world, 'status=pending', MANY);
  });
});

describe('where the connection is guarded', () => {
  it('deletes all that match once verb, count and queue are typed', async () => {
    const world = await start('guarded');
    await submitAll(world, waiting(MANY));
    const page = await livePage(world, 'tasks');
    await selectAllMatching(page, MANY);
    await page.getByRole('region', { name: 'Selection' }).getByRole('button', { name: 'Delete…' }).click();
    const dialog = page.getByRole('dialog', { name: `Delete ${MANY} tasks in orders on STAGING` });
    const button = dialog.getByRole('button', { name: `Delete ${MANY} tasks` });
    await confirmation(page).fill('orders');
    expect(await button.isDisabled()).toBe(true);
    await confirmation(page).fill(`delete ${MANY} orders`);
    await button.click();
    await page.getByText(`Deleting ${MANY} tasks`).waitFor();
    await untilTotal(world, 'status=pending', 0);
    const [ended] = await waitFor('the operation', async () => {
      const all = await operations(world);
      return all[0]?.state === 'done' ? all : null;
    });
    expect(ended).toMatchObject({ action: 'delete', done: MANY, failed: 0 });
    // What has left stays where it was, dimmed, until the list is read again.
    await page.locator('main tbody tr.gone').first().waitFor();
    await page.getByRole('button', { name: 'Read the list again' }).click();
    await page.getByRole('main').getByText('No task yet').waitFor();
  });

  it('does nothing where the count has moved, counts again, and wants the new words', async () => {
    const world = await start('guarded');
    await submitAll(world, waiting(20));
    const page = await livePage(world, 'tasks');
    const grid = page.getByRole('grid', { name: 'Tasks' });
    await grid.getByRole('row').nth(20).waitFor();
    await grid.getByRole('checkbox', { name: 'Check all that are loaded' }).click();
    await page.keyboard.press('Control+Shift+a'); // as the filter, not as the twenty
    const bar = page.getByRole('region', { name: 'Selection' });
    await bar.getByText('Selected: all 20 matching').waitFor();
    await bar.getByRole('button', { name: 'Delete…' }).click();
    const dialog = page.getByRole('dialog');
    await confirmation(page).fill('delete 20 orders');
    await submitAll(world, waiting(30));
    await dialog.getByRole('button', { name: 'Delete 20 tasks' }).click();

    await dialog.getByText('Count moved from 20 to 50.', { exact: false }).waitFor();
    await page.getByRole('dialog', { name: 'Delete 50 tasks in orders on STAGING' }).waitFor();
    const button = dialog.getByRole('button', { name: 'Delete 50 tasks' });
    expect(await button.isDisabled()).toBe(true);
    expect(await operations(world)).toEqual([]);
    await untilTotal(world, 'status=pending', 50);
    await confirmation(page).fill('delete 50 orders');
    await button.click();
    await untilTotal(world, 'status=pending', 0);
  });
});
