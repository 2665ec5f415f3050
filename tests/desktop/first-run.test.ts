/** A person's first minutes: from the first start to a completed task, from a failure to the drained queue, and a crash. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type DesktopApp, DesktopWorld } from '../support/desktop-app';
import { isAlive, waitFor } from '../support/millrace-process';

/** Fails until its file is there. */
const MOODY = `
import { existsSync } from 'node:fs';
import { defineHandler, z } from 'millrace';
export default defineHandler({
  type: 'moody',
  payload: z.object({ file: z.string() }),
  async run({ payload }) {
    if (!existsSync(payload.file)) throw new Error('the printer is out of paper');
    return 'printed';
  },
});
`;

let world: DesktopWorld;
let app: DesktopApp;
let queue: Page;
beforeAll(() => {
  world = new DesktopWorld();
  mkdirSync(join(world.dir, 'handlers'));
  writeFileSync(join(world.dir, 'handlers/moody.ts'), MOODY);
});
afterAll(() => world.close());

const start = () => world.start({ env: { MILLRACE_HANDLERS: join(world.dir, 'handlers') } });

describe('a first start', () => {
  it('begins on the start page, and opens the local queue from there', async () => {
    app = await start();
    expect(app.first.url()).toBe('app://console/index.html');
    expect(world.redisPid).toBeNull();
    queue = await app.openLocalQueue();
    expect(new URL(queue.url()).hostname).toBe('127.0.0.1');
    expect(isAlive(world.redisPid ?? 0)).toBe(true);
    await waitFor('the start page to close', () => (app.first.isClosed() ? true : null));
    const titles = await app.application.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows().map((window) => window.getTitle()),
    );
    expect(titles).toEqual(['LOCAL · Local queue — Overview']);
  });

  it('runs a task that was written into the form', async () => {
    await app.apiOf(queue).workers(1);
    await goTo(queue, 'Submit task');
    const main = queue.getByRole('main');
    await main.getByLabel('Type').first().fill('text_processing');
    await main.getByRole('textbox', { name: /^Payload/ }).fill('{"text": "one two three", "operations": ["counts"]}');
    await main.getByRole('button', { name: 'Submit task' }).click();
    await main.getByRole('status').getByText('Completed').waitFor(); // seen without leaving
    const id = await createdId(queue);
    const { result } = await app.apiOf(queue).task(id);
    expect(JSON.stringify(result)).toContain('"words":3');
  });

  it('starts a pool whose workers are processes of their own', async () => {
    const api = app.apiOf(queue);
    await goTo(queue, 'Workers');
    await queue
      .getByRole('button', { name: /^Start a pool/ })
      .first()
      .click();
    const dialog = queue.getByRole('dialog', { name: 'Start a pool' });
    await dialog.getByLabel('Name').fill('prints');
    await dialog.getByLabel('Queues').fill('prints');
    await dialog.getByRole('button', { name: /^Start/ }).click();
    await dialog.waitFor({ state: 'detached' });
    const pids = await api.workers(2);
    for (const pid of pids) expect(isAlive(pid)).toBe(true);
    expect(pids).not.toContain(app.pid);
  });

  it('drains a failed task from the dead-letter queue once its cause is gone', async () => {
    const api = app.apiOf(queue);
    const paper = join(world.dir, 'paper');
    const { id } = await api.submit({ task_type: 'moody', queue: 'prints', payload: { file: paper }, max_retries: 0 });
    const failed = await api.until(id, 'failed');
    expect(failed.error?.message).toContain('out of paper');
    await queue
      .getByRole('navigation', { name: 'Main' })
      .getByRole('img', { name: /^1 fail/ })
      .waitFor();
    writeFileSync(paper, '');
    await goTo(queue, 'Failures');
    await queue.getByRole('row').filter({ hasText: 'the printer is out of paper' }).click();
    await queue
      .getByRole('complementary')
      .getByRole('button', { name: /^Requeue/ })
      .click();
    await queue
      .getByRole('dialog')
      .getByRole('button', { name: /^Requeue 1 / })
      .click();
    await api.until(id, 'completed');
    const navigation = queue.getByRole('navigation', { name: 'Main' });
    await waitFor('the sidebar to be calm', async () =>
      (await navigation.getByRole('img', { name: /fail/ }).count()) === 0 ? true : null,
    );
  });
});

describe('an app that was killed', () => {
  it('comes back with everything that was there', async () => {
    const before = app.apiOf(queue);
    const { total } = await overview(before);
    const { id } = await before.submit({ task_type: 'nobody.serves.it', payload: { text: 'kept' } });
    const redisPid = world.redisPid;
    await app.kill9();
    expect(isAlive(redisPid ?? 0)).toBe(true);

    app = await start();
    queue = app.first; // the local queue was used last: it opens at once
    await queue.getByText('Live', { exact: true }).waitFor();
    expect(world.redisPid).toBe(redisPid);
    const after = app.apiOf(queue);
    expect((await overview(after)).total).toBe(total + 1);
    expect((await after.task(id)).status).toBe('pending');
    const pools = await after.pools();
    expect(pools.map((pool) => pool.name).sort()).toEqual(['default', 'prints']);
    await after.workers(2);
  });

  it('leaves nothing running when it is closed', async () => {
    const redisPid = world.redisPid ?? 0;
    const workers = await app.apiOf(queue).workers(2);
    await app.quit();
    expect([redisPid, ...workers, app.pid].map(isAlive)).toEqual([false, false, false, false]);
  });
});

async function goTo(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name }).first().click();
}

async function createdId(page: Page): Promise<string> {
  const href = await page.getByRole('main').getByRole('status').getByRole('link').first().getAttribute('href');
  return new URLSearchParams(href?.split('?')[1]).get('id') ?? '';
}

async function overview(api: { call(method: string, path: string): Promise<Response> }): Promise<{ total: number }> {
  const answer = await api.call('GET', '/api/tasks/stats/overview');
  return z.object({ total: z.number() }).parse(await answer.json());
}
