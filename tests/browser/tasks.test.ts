import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Page } from '@playwright/test';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Gates, livePage, submitAll, untilTotal } from '../support/console-steps';
import { ConsoleWorld } from '../support/console-world';
import { startHttpServer, type TestHttpServer } from '../support/http-server';

const run = promisify(execFile);
const gates = new Gates();
let shop: TestHttpServer;
let world: ConsoleWorld;
beforeAll(async () => {
  shop = await startHttpServer(({ url }, response) => {
    response.writeHead(url === '/well' ? 200 : 500, { 'content-type': 'application/json' }).end('{}');
  });
  world = await ConsoleWorld.start({
    args: ['--handlers', gates.dir],
    env: { MILLRACE_ALLOW_PRIVATE: '127.0.0.1' },
  });
  await submitAll(world, [
    ...Array.from({ length: 5 }, (_, n) => ({
      task_type: 'text_processing',
      queue: 'texts',
      name: `Text ${n}`,
      payload: { text: `Number ${n}` },
    })),
    { task_type: 'nobody.serves.it', queue: 'orders', payload: {} },
  ]);
  await untilTotal(world, 'status=completed', 5);
});
afterAll(async () => {
  await world?.stop();
  await shop?.[Symbol.asyncDispose]();
  gates[Symbol.dispose]();
});

const grid = (page: Page) => page.getByRole('grid', { name: 'Tasks' });
const inspectorOf = (page: Page) => page.getByRole('complementary', { name: 'task' });

it('narrows the list by a query of chips, which are completed with their counts, and widens it again', async () => {
  const page = await livePage(world, 'tasks');
  const main = page.getByRole('main');
  await main.getByText('6 match').waitFor();
  const query = page.getByRole('combobox', { name: 'Query' });
  await query.fill('que');
  await page.getByRole('option', { name: /queue:/ }).click();
  await query.pressSequentially('tex');
  const offered = page.getByRole('listbox', { name: 'Completions' }).getByRole('option', { name: /queue:\s*texts/ });
  await offered.filter({ hasText: '5' }).waitFor();
  await offered.click();
  await main.getByText('5 match').waitFor();
  await expect.poll(() => page.url()).toContain('queue%3Atexts');
  await query.fill('state:failed');
  await query.press('Enter');
  await main.getByText('No task matches both terms').waitFor();
  await main
    .getByRole('button', { name: /Remove state: failed/ })
    .last()
    .click(); // the nearest that matches
  await main.getByText('5 match').waitFor();
  await main.getByRole('button', { name: 'Remove queue: texts', exact: true }).click();
  await main.getByText('6 match').waitFor();
  expect(world.takeErrors()).toEqual([]);
  await page.close();
});

it('says what is wrong with a query, and keeps the list of before', async () => {
  const page = await livePage(world, 'tasks?query=queue%3Atexts');
  const main = page.getByRole('main');
  await main.getByText('5 match').waitFor();
  const query = page.getByRole('combobox', { name: 'Query' });
  await query.fill('state:finished');
  await query.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'The list below is still that of before.' }).waitFor();
  expect(await query.getAttribute('aria-invalid')).toBe('true');
  await main.getByText('5 match').waitFor();
  await page.close();
});

it('shows of a task, tab by tab, what it was given, said, and went through', async () => {
  const task = await world.api.submit({
    task_type: 'gated',
    payload: { gate: gates.path('told'), say: ['first line', 'second line'] },
    tags: ['tenant-42'],
  });
  const page = await livePage(world, `tasks?id=${task.id}`);
  const inspector = inspectorOf(page);
  await inspector
    .getByText(/^Processing/)
    .first()
    .waitFor();
  const open = (name: RegExp) => inspector.getByRole('tab', { name }).click();
  await open(/^Payload/);
  await inspector.getByRole('tabpanel').getByText('first line').first().waitFor();
  await open(/^Logs/);
  await inspector.getByRole('log', { name: 'Log' }).getByText('second line').waitFor();
  await inspector.getByRole('searchbox', { name: 'Search in the log' }).fill('first');
  await inspector.getByText('second line').waitFor({ state: 'detached' });
  gates.open('told');
  await inspector
    .getByText(/^Completed/)
    .first()
    .waitFor(); // live, without being read again
  await open(/^Attempts 1/);
  await inspector.getByRole('tabpanel').getByText('completed', { exact: false }).first().waitFor();
  await open(/^Events/);
  for (const event of ['Created', 'Started', 'Completed'])
    await inspector.getByRole('tabpanel').getByText(event, { exact: true }).waitFor();
  await open(/^Related/);
  await inspector.getByRole('link', { name: 'All with the tag tenant-42' }).waitFor();
  await open(/^Summary/);
  await inspector.getByRole('treeitem', { name: 'passed true' }).waitFor();
  expect(world.takeErrors()).toEqual([]);
  await page.close();
});

it('cancels a running task, and shows that it was', async () => {
  const task = await world.api.submit({ task_type: 'gated', payload: { gate: gates.path('shut') } });
  await world.api.until(task.id, 'processing');
  const page = await livePage(world, `tasks?id=${task.id}`);
  const inspector = inspectorOf(page);
  await inspector
    .getByText(/^Processing/)
    .first()
    .waitFor();
  await inspector.getByRole('button', { name: /^Cancel/ }).click();
  await inspector
    .getByText(/^Cancelled/)
    .first()
    .waitFor();
  await world.api.until(task.id, 'cancelled');
  expect(await inspector.getByRole('button', { name: /^Cancel/ }).isDisabled()).toBe(true);
  await page.close();
});

it('mends the payload of a failed task and requeues it', async () => {
  const task = await world.api.submit({
    task_type: 'api_call',
    max_retries: 0,
    payload: { url: `${shop.origin}/ill` },
  });
  await world.api.until(task.id, 'failed');
  const page = await livePage(world, `tasks?id=${task.id}`);
  const inspector = inspectorOf(page);
  await inspector
    .getByText(/^Failed/)
    .first()
    .waitFor();
  await inspector.getByRole('button', { name: /^Edit…/ }).click();
  const dialog = page.getByRole('dialog', { name: /^Edit and requeue api_call/ });
  const payload = dialog.getByRole('textbox', { name: /^Payload/ });
  await payload.fill('{ "url": ');
  const send = dialog.getByRole('button', { name: 'Requeue 1 task with the change' });
  expect(await send.isDisabled()).toBe(true);
  await payload.fill(JSON.stringify({ url: `${shop.origin}/well` }));
  await send.click();
  await inspector
    .getByText(/^Completed/)
    .first()
    .waitFor();
  expect((await world.api.task(task.id)).payload).toEqual({ url: `${shop.origin}/well` });
  await page.close();
});

it('keeps the rows where they are while new tasks come, and brings them in when it is asked to', async () => {
  const page = await livePage(world, 'tasks?query=queue%3Atexts');
  const rows = grid(page).getByRole('row');
  await rows.nth(5).waitFor();
  // Its age goes on meanwhile.
  const idOfFirst = async () => /\w{8}…\w{4}/.exec((await rows.nth(1).textContent()) ?? '')?.[0];
  const first = await idOfFirst();
  expect(first).toBeDefined();
  await rows.nth(1).hover();
  const text = (name: string) => ({ task_type: 'text_processing', queue: 'texts', name, payload: { text: 'x' } });
  await submitAll(world, [text('Late 1'), text('Late 2')]);
  const pill = page.getByRole('button', { name: '2 new' });
  await pill.waitFor();
  expect(await idOfFirst()).toBe(first);
  await pill.click();
  await rows.nth(1).filter({ hasText: 'Late 2' }).waitFor();
  await rows.nth(2).filter({ hasText: 'Late 1' }).waitFor();
  await pill.waitFor({ state: 'detached' });
  await rows.nth(1).filter({ hasText: 'Completed' }).waitFor(); // changed where it stands
  await page.close();
});

it('copies a task as a curl command that works', async () => {
  const task = await world.api.submit({
    task_type: 'text_processing',
    name: "It's quoted",
    queue: 'copies',
    payload: { text: `It's "quoted" $HOME \\ and 9007199254740993` },
  });
  await world.api.until(task.id, 'completed');
  const page = await livePage(world, `tasks?id=${task.id}`);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await inspectorOf(page)
    .getByText(/^Completed/)
    .first()
    .waitFor();
  await inspectorOf(page).getByRole('button', { name: 'More to do with this task' }).click();
  await page.getByRole('menuitem', { name: /^Copy curl/ }).click();
  await page.getByText('A curl command that submits it again is copied').waitFor();
  const command = String(await page.evaluate('navigator.clipboard.readText()'));
  const { stdout } = await run('/bin/sh', ['-c', `${command} -s`]);
  const again = JSON.parse(stdout);
  expect(again.id).not.toBe(task.id);
  expect(again).toMatchObject({ task_type: task.task_type, name: task.name, queue: task.queue });
  expect((await world.api.task(again.id)).payload).toEqual(task.payload);
  await world.api.until(again.id, 'completed');
  await page.close();
});

it('shows in the list how far a running task is, and what it says', async () => {
  const page = await livePage(world, 'tasks?query=state%3Aprocessing');
  const task = { task_type: 'gated', queue: 'gates', name: 'Waits', payload: { gate: gates.path('list') } };
  const { id } = await world.api.submit(task);
  const row = grid(page).getByRole('row').filter({ hasText: 'Waits' });
  await row.getByText('at the gate').waitFor();
  expect(await row.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('40');
  gates.open('list');
  await world.api.until(id, 'completed');
  await page.close();
});
