/** From an address to a console, in the real app: pasted, diagnosed, connected, and nothing of the password on disk. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DesktopApp, DesktopWorld } from '../support/desktop-app';
import { type RedisServer, startRedis } from '../support/redis-server';

const PASSWORD = 'pa55-of-redis';
let world: DesktopWorld;
let redis: RedisServer;
let app: DesktopApp;
beforeAll(async () => {
  world = new DesktopWorld();
  redis = await startRedis({ args: ['--requirepass', PASSWORD, '--appendfsync', 'everysec'] });
  app = await world.start();
});
afterAll(async () => {
  await world.close();
  await redis.stop();
});

it('fills the form from an address, and looks at the connection step by step', async () => {
  const page = app.first;
  await page.getByRole('heading', { name: 'Connect to a queue' }).waitFor();
  await page.getByLabel('Address of Redis').fill(redis.url);
  await page.getByLabel('Address of Redis').press('Enter');
  await page.getByLabel('Name', { exact: true }).fill('orders');
  expect(await page.getByLabel('Host').inputValue()).toBe(redis.host);
  await page.getByRole('button', { name: 'Diagnose' }).click();
  const diagnose = page.getByRole('region', { name: 'Diagnose' });
  await diagnose.getByRole('status').getByText('7 steps').waitFor();
  expect(await diagnose.getByRole('img', { name: 'ok' }).count()).toBe(5); // no name to look up, no TLS
  expect(await diagnose.getByRole('img', { name: 'failed' }).count()).toBe(0);
});

it('opens a console of its own for it, and keeps no password in plain text', async () => {
  const opened = app.application.waitForEvent('window');
  await app.first.getByRole('button', { name: 'Connect', exact: true }).click();
  const queue = await opened;
  await queue.getByText('Live', { exact: true }).waitFor();
  await expect.poll(() => queue.title()).toContain('LOCAL · orders');
  const file = readFileSync(join(world.dataDir, 'desktop', 'profiles.json'), 'utf8');
  expect(file).toContain('"orders"');
  expect(file).not.toContain(PASSWORD);
});

it('names the connections in the title bar of each window, and opens the chosen one in a window of its own', async () => {
  const orders = app.application.windows().find((page) => page.url().startsWith('http'));
  if (orders === undefined) throw new Error('the window of orders is gone');
  const openedStart = app.application.waitForEvent('window');
  await orders.getByRole('button', { name: 'Switch connection' }).click();
  await orders.getByRole('menuitem', { name: 'All connections…' }).click();
  const start = await openedStart;
  const openedLocal = app.application.waitForEvent('window');
  await start.getByRole('button', { name: /^Start the local queue/ }).click();
  const local = await openedLocal;
  await app.live(local);
  await local.getByRole('button', { name: 'Switch connection' }).click();
  const items = local.getByRole('menuitem');
  await items.filter({ hasText: 'orders' }).waitFor();
  expect(await items.allTextContents().then((texts) => texts.map((text) => text.trim().replace(/\s+/g, ' ')))).toEqual([
    'Local queue this window',
    'orders local',
    'All connections…',
  ]);
  await local.keyboard.press('Escape');
  await app.application.evaluate(({ BrowserWindow }) => {
    for (const window of BrowserWindow.getAllWindows()) if (window.getTitle().includes('orders')) window.close();
  });
  await expect.poll(() => orders.isClosed()).toBe(true);

  // Its window is closed: the start page connects to it, asks for what nobody keeps here, and goes.
  const asking = app.application.waitForEvent('window');
  await local.getByRole('button', { name: 'Switch connection' }).click();
  await local.getByRole('menuitem', { name: /^orders/ }).click();
  const question = (await asking).getByRole('dialog');
  await question.getByLabel(/^Password/).fill(PASSWORD);
  const reopened = app.application.waitForEvent('window');
  await question.getByRole('button', { name: 'Connect' }).click();
  const back = await reopened;
  await app.live(back);
  await expect.poll(() => back.title()).toContain('LOCAL · orders');
  expect(new URL(back.url()).origin).not.toBe(new URL(local.url()).origin);
  await expect.poll(() => app.application.windows().length).toBe(2);
  // What is open already comes to the front: no second window of it.
  await back.getByRole('button', { name: 'Switch connection' }).click();
  await back.getByRole('menuitem', { name: /^Local queue/ }).click();
  await expect
    .poll(() => app.application.evaluate(({ BrowserWindow }) => BrowserWindow.getFocusedWindow()?.getTitle() ?? ''))
    .toContain('Local queue');
  expect(app.application.windows()).toHaveLength(2);
});
