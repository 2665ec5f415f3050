import type { Page } from '@playwright/test';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Gates, livePage, queueOf, submitAll, workersOf } from '../support/console-steps';
import { ConsoleWorld } from '../support/console-world';
import { waitFor } from '../support/millrace-process';

const gates = new Gates();
let world: ConsoleWorld;
beforeAll(async () => {
  world = await ConsoleWorld.start({ args: ['--workers', '1', '--queues', 'default', '--handlers', gates.dir] });
  await world.api.workers(1);
  await submitAll(world, [{ task_type: 'text_processing', payload: { text: 'a queue begins with its first task' } }]);
});
afterAll(async () => {
  await world?.stop();
  gates[Symbol.dispose]();
});

const detailOf = (page: Page, name: string) => page.getByRole('region', { name: `Queue ${name}` });

it('pauses a queue and resumes it, says so, and can take it back', async () => {
  const page = await livePage(world, 'queues');
  await page.getByRole('main').getByRole('row').filter({ hasText: 'default' }).first().click();
  const detail = detailOf(page, 'default');
  await detail.getByRole('button', { name: /^Pause/ }).click();
  await detail.getByRole('button', { name: /^Resume/ }).waitFor();
  await page.getByText('Paused default: running tasks go on').waitFor();
  expect((await queueOf(world, 'default')).paused).toBe(true);
  const task = await world.api.submit({ task_type: 'text_processing', payload: { text: 'held' } });
  await page.getByRole('button', { name: 'Undo' }).click();
  await detail.getByRole('button', { name: /^Pause/ }).waitFor();
  await world.api.until(task.id, 'completed');
  expect(world.takeErrors()).toEqual([]);
  await page.close();
});

it('shows a limit that the server refuses at its field, and saves one that fits', async () => {
  const page = await livePage(world, 'queues/default');
  await detailOf(page, 'default').getByRole('button', { name: 'Limits…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Limits of default' });
  const concurrency = dialog.getByLabel('Concurrency');
  const save = dialog.getByRole('button', { name: /^Save/ });
  expect(await save.isDisabled()).toBe(true);
  await concurrency.fill('-3');
  const refused = page.waitForResponse((answer) => answer.url().endsWith('/limits') && answer.status() === 422);
  await save.click();
  await refused;
  await expect.poll(() => concurrency.getAttribute('aria-invalid')).toBe('true');
  const note = await concurrency.getAttribute('aria-describedby');
  expect(await page.locator(`[id="${note}"]`).textContent()).toMatch(/\w/);
  expect((await queueOf(world, 'default')).limits.concurrency).toBeNull();
  await concurrency.fill('7');
  await dialog.getByLabel('Durability').selectOption('replicated');
  await dialog.getByLabel('Shards').fill('4');
  const changes = dialog.getByRole('list', { name: 'What changes' });
  await changes.getByText('none').waitFor();
  await changes.getByText('replicated').waitFor();
  await save.click();
  await dialog.waitFor({ state: 'detached' });
  await detailOf(page, 'default').getByText('7 over all workers').waitFor();
  await detailOf(page, 'default').getByText('answered once a replica has it').waitFor();
  await detailOf(page, 'default').getByText('strict by priority, within each of 4 shards').waitFor();
  const limits = { concurrency: 7, durability: 'replicated', shards: 4 };
  expect((await queueOf(world, 'default')).limits).toMatchObject(limits);
  await world.api.call('PUT', '/api/queues/default/limits', { concurrency: null, durability: null, shards: null });
  await page.close();
});

it('starts a pool in the dialog, scales it, quiets a worker, and removes the pool again', async () => {
  const page = await livePage(world, 'workers');
  await page.getByRole('button', { name: 'Start a pool…' }).click();
  const dialog = page.getByRole('dialog', { name: /^Start a pool/ });
  await dialog.getByLabel('Name').fill('mail');
  await dialog.getByLabel('Queues').fill('emails=2, receipts');
  await dialog.getByLabel('Processes').fill('900');
  await dialog.getByRole('button', { name: 'Start pool' }).click();
  await expect.poll(() => dialog.getByLabel('Processes').getAttribute('aria-invalid')).toBe('true');
  await dialog.getByLabel('Processes').fill('1');
  await dialog.getByRole('button', { name: 'Start pool' }).click();
  await dialog.waitFor({ state: 'detached' });

  const pool = page.getByRole('complementary', { name: 'Pool' });
  await pool.getByText('1 of 1 up').waitFor();
  await pool.getByRole('button', { name: 'One process more' }).click();
  await pool.getByText('2 of 2 up').waitFor();
  await world.api.workers(3);
  await pool.getByRole('tab', { name: /^Workers/ }).click();
  await pool.getByRole('listitem').first().getByRole('link').click();
  const worker = page.getByRole('complementary', { name: 'Worker' });
  await worker.getByRole('button', { name: 'Quiet' }).click();
  await worker.getByText('It takes no new task.').waitFor();
  expect(await worker.getByRole('button', { name: 'Quiet' }).isDisabled()).toBe(true);

  await worker.getByRole('link', { name: 'mail', exact: true }).click();
  await pool.getByRole('button', { name: 'More on mail' }).click();
  await page.getByRole('menuitem', { name: /^Remove pool/ }).click();
  await page
    .getByRole('dialog', { name: /^Remove the pool mail/ })
    .getByRole('button', { name: 'Remove mail' })
    .click();
  await waitFor('the pool to be gone', async () =>
    (await world.api.pools()).some(({ name }) => name === 'mail') ? null : true,
  );
  expect(world.takeErrors()).toEqual([]);
  await page.close();
});

it('tells of a worker that was killed: how it ended, which task ran in it, and that another serves', async () => {
  const task = await world.api.submit({ task_type: 'gated', payload: { gate: gates.path('killed') } });
  const { worker_id: victim } = await world.api.until(task.id, 'processing');
  const { pid } = (await workersOf(world)).find(({ id }) => id === victim) ?? {};
  if (pid === undefined) throw new Error('no worker runs it');
  const page = await livePage(world, 'workers');
  const main = page.getByRole('main');
  await main.getByRole('row').filter({ hasText: 'gated' }).first().waitFor();
  process.kill(pid, 'SIGKILL');
  const exits = main.getByRole('region', { name: 'Recent exits' });
  const row = exits.getByRole('row').filter({ hasText: 'gated' });
  await row.filter({ hasText: /SIGKILL|killed/i }).waitFor();
  await row.getByRole('link', { name: /^gated/ }).click();
  const inspector = page.getByRole('complementary', { name: 'task' });
  await inspector.getByText(task.id).first().waitFor();
  gates.open('killed');
  await inspector
    .getByText(/^Completed/)
    .first()
    .waitFor({ timeout: 60_000 }); // its lease ends first
  expect(world.takeErrors()).toEqual([]);
  await page.close();
});
