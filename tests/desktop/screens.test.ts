/**
 * Every screen of the app's own window with the demo's incident on it, in both themes. The pictures stay in
 * test-results/desktop, so that a reader can lay them beside those of docs/console.md.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { VIEWS } from '../support/console-world';
import { type DesktopApp, DesktopWorld } from '../support/desktop-app';
import { type TestApi, waitFor } from '../support/millrace-process';

const DEMO = join(import.meta.dirname, '../../scripts/demo-incident.mjs');
const PATIENCE_MS = 120_000;
const Groups = z.object({ groups: z.array(z.unknown()) });
const Matched = z.object({ matched: z.int() });
const PICTURES = join(import.meta.dirname, '../../test-results/desktop');

let world: DesktopWorld;
let app: DesktopApp;
let queue: Page;
let incident: ChildProcess | undefined;
beforeAll(async () => {
  mkdirSync(PICTURES, { recursive: true });
  world = new DesktopWorld();
  app = await world.start();
  queue = await app.openLocalQueue();
  await fill(app.apiOf(queue), new URL(queue.url()).origin);
  process.stdout.write(`Pictures of the app in Electron ${inject('electron').version}: ${PICTURES}\n`);
});
afterAll(async () => {
  if (incident?.exitCode === null && incident.kill('SIGKILL')) await once(incident, 'exit');
  await world.close();
});

/** Into the incident: charges are lost, and three causes have left dead letters; some of them are being requeued. */
async function fill(api: TestApi, base: string): Promise<void> {
  incident = spawn(process.execPath, [DEMO, '--base', base, '--minutes', '1'], { stdio: 'ignore' });
  await waitFor(
    'three groups of dead letters',
    async () => {
      if (incident?.exitCode !== null) throw new Error('the incident ended early');
      const { groups } = Groups.parse(await (await api.call('GET', '/api/dlq/groups')).json());
      return groups.length >= 3 ? groups : null;
    },
    PATIENCE_MS,
  );
  const filter = { task_type: ['email.send', 'image.thumbnail'] };
  const matched = Matched.parse(await (await api.call('POST', '/api/dlq/requeue', { filter, dry_run: true })).json());
  const slow = { filter, expected_count: matched.matched, rate: 0.1 }; // under way while the pictures are taken
  expect((await api.call('POST', '/api/dlq/requeue', slow)).status).toBe(202);
}

/** What has to be there before a screen is more than its frame. */
const FILLED: Record<(typeof VIEWS)[number], string> = {
  overview: 'main table tbody tr',
  failures: 'main [role=grid] tbody tr[id], main [role=treegrid] tbody tr[id]',
  tasks: 'main [role=grid] tbody tr[id]',
  queues: 'main [role=grid] tbody tr[id]',
  workers: 'main [role=grid] tbody tr[id], main [role=treegrid] tbody tr[id]',
  submit: 'main form',
  operations: 'main [role=grid] tbody tr[id]',
  metrics: 'main canvas',
  audit: 'main [role=grid] tbody tr[id]',
  settings: 'main [role=group] button, main [role=radiogroup]',
};

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  it.each(VIEWS)('%s is filled', async (view) => {
    await queue.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await queue.goto(new URL(`#/${view}?range=15m`, queue.url()).href);
    await queue.locator(FILLED[view]).first().waitFor();
    await queue.locator('main .sk').first().waitFor({ state: 'detached' });
    await app.live(queue);
    expect(await queue.getByRole('alert').allTextContents()).toEqual([]);
    const picture = await queue.screenshot({ path: join(PICTURES, `${view}-${theme}.png`) });
    const { channels } = await sharp(picture).greyscale().stats();
    const brightness = channels[0]?.mean ?? 0;
    expect(theme === 'light' ? brightness > 192 : brightness < 64, `brightness ${brightness}`).toBe(true);
  });
});
