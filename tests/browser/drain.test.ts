import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Clicks, livePage, operations, submitAll, untilTotal } from '../support/console-steps';
import { ConsoleWorld } from '../support/console-world';
import { startHttpServer, type TestHttpServer } from '../support/http-server';
import { waitFor } from '../support/millrace-process';

const MOST_CLICKS = 5;

/** What the tasks depend on: down until it is mended. */
let mended = false;
let shop: TestHttpServer;
let world: ConsoleWorld;
beforeAll(async () => {
  shop = await startHttpServer((_, response) => {
    response.writeHead(mended ? 200 : 500, { 'content-type': 'application/json' }).end('{}');
  });
  world = await ConsoleWorld.start({ env: { MILLRACE_ALLOW_PRIVATE: '127.0.0.1' } });
});
afterAll(async () => {
  await world?.stop();
  await shop?.[Symbol.asyncDispose]();
});

const orders = (path: string, count: number) =>
  Array.from({ length: count }, (_, n) => ({
    task_type: 'api_call',
    name: `Order ${n}`,
    max_retries: 0,
    payload: { url: `${shop.origin}/${path}` },
  }));

beforeEach(async () => {
  mended = false;
  await world.api.call('POST', '/api/dlq/purge', { filter: { status: 'failed' }, confirm: true });
  await untilTotal(world, 'status=failed', 0);
});

it('drains a failure group from the row that told of it, in five clicks, its end seen on screen', async () => {
  await submitAll(world, orders('charge', 14));
  await untilTotal(world, 'status=failed', 14);
  const page = await livePage(world);
  const row = page.getByRole('main').getByRole('link', { name: /failure group ×14/ });
  await row.waitFor();
  mended = true;

  const clicks = new Clicks();
  await clicks.on(row);
  const inspector = page.getByRole('complementary', { name: 'Failure group' });
  await inspector.getByText('14 tasks').first().waitFor();
  await clicks.on(inspector.getByRole('button', { name: 'Requeue…' }));
  const dialog = page.getByRole('dialog', { name: /^Requeue 14 failed tasks in default on LOCAL$/ });
  await clicks.on(dialog.getByRole('button', { name: 'Requeue 14 tasks' }));
  await dialog.waitFor({ state: 'detached' });
  // The group is gone where one stands; nothing has to be read again.
  await inspector.getByText('No dead letters are left of it.').waitFor();
  await page.getByRole('main').getByText('No dead letters', { exact: true }).waitFor();
  await clicks.on(page.getByRole('button', { name: 'View operation' }));
  const operation = page.getByRole('complementary', { name: 'Operation' });
  await operation.getByText('14 of 14').waitFor();
  await operation.getByText('Done', { exact: true }).first().waitFor();

  expect(clicks.count).toBeLessThanOrEqual(MOST_CLICKS);
  await untilTotal(world, 'status=completed&task_type=api_call', 14);
  expect(
    await page
      .getByRole('navigation', { name: 'Main' })
      .getByRole('img', { name: /failure group/ })
      .count(),
  ).toBe(0);
  expect(world.takeErrors()).toEqual([]);
  await page.close();
});

it('goes on when the page is closed right after the start, and a new page shows how far it is', async () => {
  await submitAll(world, orders('refund', 40));
  await untilTotal(world, 'status=failed', 40);
  mended = true;
  const page = await livePage(world);
  const clicks = new Clicks();
  await clicks.on(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: /^Failures/ }));
  await clicks.on(page.getByRole('grid', { name: 'Failure groups' }).getByRole('row').nth(1));
  await clicks.on(page.getByRole('button', { name: 'Requeue…' }));
  const dialog = page.getByRole('dialog', { name: /^Requeue 40 failed tasks/ });
  await dialog.getByLabel('Rate').fill('10');
  await dialog.getByText('40 take about 4.0 s.').waitFor();
  await clicks.on(dialog.getByRole('button', { name: 'Requeue 40 tasks' }));
  await dialog.waitFor({ state: 'detached' });
  await page.close();
  expect(clicks.count).toBeLessThanOrEqual(MOST_CLICKS);

  const [begun] = await operations(world);
  expect(begun).toMatchObject({ action: 'requeue', matched: 40, state: 'running' });
  const later = await livePage(world);
  const bar = later.getByRole('contentinfo');
  await bar.getByRole('progressbar', { name: 'Progress of the operation' }).waitFor();
  await bar.getByText(/\d+ of 40/).waitFor();
  await waitFor('the operation to end', async () => {
    const [ended] = await operations(world);
    return ended?.state === 'done' && ended.done === 40 ? ended : null;
  });
  await bar.getByRole('progressbar').waitFor({ state: 'detached' });
  await untilTotal(world, 'status=failed', 0);
  expect(world.takeErrors()).toEqual([]);
  await later.close();
});

it('tells the count of failure groups in the sidebar, and lets it go as they drain', async () => {
  await submitAll(world, orders('void', 3));
  const page = await livePage(world);
  const count = page.getByRole('navigation', { name: 'Main' }).getByRole('img', { name: '1 failure group' });
  await count.waitFor();
  mended = true;
  await world.api.call('POST', '/api/dlq/requeue', { filter: { status: 'failed' } });
  await count.waitFor({ state: 'detached' });
  await page.close();
});
