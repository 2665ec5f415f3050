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
  expect(await queue.title()).toContain('LOCAL · orders');
  const file = readFileSync(join(world.dataDir, 'desktop', 'profiles.json'), 'utf8');
  expect(file).toContain('"orders"');
  expect(file).not.toContain(PASSWORD);
});
