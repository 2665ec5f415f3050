/** The app as a guest of the system: menus, links, notifications, a second start, and how it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type BridgePage, type DesktopApp, DesktopWorld } from '../support/desktop-app';
import { isAlive, waitFor } from '../support/millrace-process';
import { type RedisServer, startRedis } from '../support/redis-server';

const HANDLERS = `
import { defineHandler, z } from 'millrace';
import { existsSync } from 'node:fs';
export default [
  defineHandler({
    type: 'wait_for_file',
    payload: z.object({ file: z.string() }),
    async run({ payload, signal, log }) {
      log.info('begun');
      while (!existsSync(payload.file)) {
        signal.throwIfAborted();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return 'found';
    },
  }),
  defineHandler({ type: 'broken', payload: z.object({}), async run() { throw new Error('no such table'); } }),
];
`;

let world: DesktopWorld;
let app: DesktopApp;
let queue: Page;
const start = (args: readonly string[] = [], env: Record<string, string> = {}) =>
  world.start({ args, env: { MILLRACE_HANDLERS: join(world.dir, 'handlers'), ...env } });
beforeAll(async () => {
  world = new DesktopWorld();
  mkdirSync(join(world.dir, 'handlers'));
  writeFileSync(join(world.dir, 'handlers/life.ts'), HANDLERS);
  app = await start();
  queue = await app.openLocalQueue();
});
afterAll(() => world.close());

const at = (page: Page, hash: string) =>
  waitFor(`the page at ${hash}`, () => (new URL(page.url()).hash === hash ? true : null));
/** A second start of the same app: hands over what it was told, and ends. */
async function startAgain(...args: string[]): Promise<void> {
  const { program } = inject('electron');
  const child = spawn(program, ['--no-sandbox', join(import.meta.dirname, '../..'), ...args], {
    env: world.environment(),
    stdio: 'ignore',
  });
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
}

describe('the desktop', () => {
  it('goes to a screen from its menu, and runs a command of the page', async () => {
    const click = (menu: string, item: string) =>
      app.application.evaluate(
        ({ Menu }, [top, label]) => {
          const entry = Menu.getApplicationMenu()?.items.find((one) => one.label.replace('&', '') === top);
          entry?.submenu?.items.find((one) => one.label === label)?.click();
        },
        [menu, item],
      );
    await click('Go', 'Failures');
    await at(queue, '#/failures');
    await click('View', 'Command palette');
    await queue.getByRole('dialog').first().waitFor();
    await queue.keyboard.press('Escape');
  });

  it('opens a task that a link names, in the window that is there, and nothing else that a link says', async () => {
    const { id } = await app.apiOf(queue).submit({ task_type: 'nobody', queue: 'quiet', payload: {} });
    await startAgain(`millrace://task/${id}`);
    await at(queue, `#/tasks?id=${id}`);
    await startAgain('millrace://task/../../etc', 'millrace://run/rm', `millrace://task/${id}?x=<script>`);
    expect(new URL(queue.url()).hash).toBe(`#/tasks?id=${id}`);
    expect(await app.application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
  });

  it('tells of failures once for each cause, and leads to them', async () => {
    await app.application.evaluate(({ BrowserWindow, Notification }) => {
      const shown: unknown[] = [];
      Object.assign(globalThis, { shownNotices: shown });
      Notification.prototype.show = function show(this: Electron.Notification) {
        shown.push({ title: this.title, body: this.body });
        this.emit('click');
      };
      BrowserWindow.getAllWindows()[0]?.hide(); // nobody is told of what they see
    });
    const api = app.apiOf(queue);
    const tasks = Array.from({ length: 5 }, () => api.submit({ task_type: 'broken', payload: {}, max_retries: 0 }));
    for (const { id } of await Promise.all(tasks)) await api.until(id, 'failed');
    const shown = await waitFor('a notification', async () => {
      const notices = await app.application.evaluate(
        () => (globalThis as unknown as { shownNotices: { title: string; body: string }[] }).shownNotices,
      );
      return notices.length > 0 ? notices : null;
    });
    expect(shown).toHaveLength(1);
    expect(shown[0]?.title).toMatch(/failed: broken · Local queue$/);
    expect(shown[0]?.body).toContain('no such table');
    await at(queue, '#/failures');
  });

  it('remembers where its window was', async () => {
    await app.application.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows()[0]?.setBounds({ x: 40, y: 60, width: 1111, height: 777 }),
    );
    await app.quit();
    app = await start();
    queue = app.first;
    await app.live(queue);
    const bounds = await app.application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getBounds());
    expect(bounds).toMatchObject({ width: 1111, height: 777 });
  });
});

describe('quitting while a task runs', () => {
  const quit = () => app.application.evaluate(({ app: self }) => self.quit());

  it('asks, and goes on where the answer is no', async () => {
    const api = app.apiOf(queue);
    await api.workers(1);
    const file = join(world.dir, 'first');
    const { id } = await api.submit({ task_type: 'wait_for_file', payload: { file } });
    await api.begun(id);
    await app.answerQuestions(/^Cancel$/);
    await waitFor('the question', async () => {
      await quit();
      return (await app.questions()).length > 0 ? true : null;
    });
    expect((await app.questions())[0]?.message).toBe('1 task is running on Local queue');
    writeFileSync(file, '');
    await api.until(id, 'completed'); // the app is still there, and so is its worker
  });

  it('leaves the workers running, with their Redis, and takes both back at the next start', async () => {
    const api = app.apiOf(queue);
    const [worker] = await api.workers(1);
    const file = join(world.dir, 'second');
    const { id } = await api.submit({ task_type: 'wait_for_file', payload: { file } });
    await api.begun(id);
    await app.answerQuestions(/^Leave the workers running$/);
    const redisPid = world.redisPid ?? 0;
    await waitFor('the app to end', async () => {
      await quit().catch(() => undefined); // it ends while it answers
      return isAlive(app.pid) ? null : true;
    });
    expect([worker ?? 0, redisPid].map(isAlive)).toEqual([true, true]);
    expect(world.leftWorkers).toEqual([worker]);
    writeFileSync(file, '');

    app = await start();
    queue = app.first;
    const again = app.apiOf(queue);
    expect(world.redisPid).toBe(redisPid);
    await again.until(id, 'completed');
    await waitFor('the old worker to finish', () => (isAlive(worker ?? 0) ? null : true));
    const [fresh] = await again.workers(1);
    expect(fresh).not.toBe(worker);
  });

  it('ends at a signal without a question, and at the second one without its tasks', async () => {
    const api = app.apiOf(queue);
    const { id } = await api.submit({ task_type: 'wait_for_file', payload: { file: join(world.dir, 'never') } });
    await api.begun(id);
    const redisPid = world.redisPid ?? 0;
    const [worker] = await api.workers(1);
    await waitFor('the app to end', () => {
      if (!isAlive(app.pid)) return true;
      process.kill(app.pid, 'SIGTERM'); // who insists is not kept waiting for the task
      return null;
    });
    expect([worker ?? 0, redisPid].map(isAlive)).toEqual([false, false]);
  });
});

describe('a Redis that is not on this machine', () => {
  let remote: RedisServer;
  beforeAll(async () => {
    remote = await startRedis({ args: ['--bind', '0.0.0.0', '--protected-mode', 'no'] });
  });
  afterAll(() => remote.stop());

  it('is opened at once where it is configured; its API wants a token that only the window has', async () => {
    // An address that nothing but this machine has, and that is none of loopback.
    app = await start([], { REDIS_URL: `redis://0.0.0.0:${remote.port}`, MILLRACE_PROFILE: 'eu-orders' });
    queue = app.first;
    await app.live(queue);
    const token = await queue.evaluate(() => (globalThis as unknown as BridgePage).millrace.token());
    expect(token?.length).toBeGreaterThan(40);
    expect(queue.url()).not.toContain(token ?? '');
    expect((await app.apiOf(queue).call('GET', '/api/tasks')).status).toBe(401);
    expect((await app.apiOf(queue, token ?? '').call('GET', '/api/tasks')).status).toBe(200);
    const title = await app.application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getTitle());
    expect(title).toBe('UNLABELLED · eu-orders — Overview');
    const kept = await queue.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])');
    expect(kept).not.toContain(token);
    await app.quit();
  });
});
