/** The app as it is installed: packaged by electron-builder, its code in an asar, its own redis-server beside it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DesktopApp, DesktopWorld } from '../support/desktop-app';
import { isAlive, TestApi, waitFor } from '../support/millrace-process';
import { type RedisServer, startRedis } from '../support/redis-server';

const ROOT = join(import.meta.dirname, '../..');
let packages: string;
let unpacked: string;
beforeAll(async () => {
  packages = mkdtempSync(join(tmpdir(), 'millrace-packages-'));
  const script = join(ROOT, 'scripts/package.mjs');
  await promisify(execFile)(process.execPath, [script, '--out', packages, 'dir'], { cwd: ROOT });
  unpacked = join(packages, 'linux-unpacked');
}, 300_000);
afterAll(() => rmSync(packages, { recursive: true, force: true }));

describe('the packaged app', () => {
  let world: DesktopWorld;
  let app: DesktopApp;
  let queue: Page;
  beforeAll(async () => {
    world = new DesktopWorld();
    // No redis-server on PATH: only its own is left.
    app = await world.start({ program: join(unpacked, 'millrace-app'), env: { PATH: join(world.dir, 'nothing') } });
    queue = await app.openLocalQueue();
  });
  afterAll(() => world.close());

  it('starts its own redis-server', () => {
    const program = realpathSync(`/proc/${world.redisPid}/exe`);
    expect(program).toBe(realpathSync(join(unpacked, 'resources/redis/redis-server')));
  });

  it('runs workers from the asar', async () => {
    const api = app.apiOf(queue);
    const [pid] = await api.workers(1);
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain('app.asar/out/main/worker.js');
    const { id } = await api.submit({ task_type: 'text_processing', payload: { text: 'one two' } });
    await api.until(id, 'completed');
    const image = await api.submit({
      task_type: 'report_generation',
      payload: { title: 'Numbers', format: 'pdf', rows: [{ month: 'May', sold: 3 }] },
    });
    await waitFor('the report', async () => {
      const { status, error } = await api.task(image.id);
      if (status === 'failed') throw new Error(error?.message);
      return status === 'completed' ? true : null;
    });
  });

  it('has no developer tools', async () => {
    const menu = await app.application.evaluate(({ Menu }) =>
      Menu.getApplicationMenu()?.items.flatMap((item) => item.submenu?.items.map(({ label }) => label) ?? []),
    );
    expect(menu).toContain('Full screen');
    expect(menu).not.toContain('Developer tools');
    const opened = await app.application.evaluate(({ BrowserWindow }) => {
      const [window] = BrowserWindow.getAllWindows();
      window?.webContents.openDevTools();
      return window?.webContents.isDevToolsOpened();
    });
    expect(opened).toBe(false);
  });

  it('leaves nothing running when it is closed', async () => {
    const [worker] = await app.apiOf(queue).workers(1);
    const redis = world.redisPid;
    await app.quit();
    expect([worker ?? 0, redis ?? 0, app.pid].map(isAlive)).toEqual([false, false, false]);
  });
});

describe('the millrace program of the package, with no display', () => {
  let dir: string;
  let redis: RedisServer;
  const started: ChildProcess[] = [];
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-launcher-'));
    redis = await startRedis();
  });
  afterAll(async () => {
    for (const child of started) {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    await redis.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const launch = (...args: string[]) => {
    const home = join(dir, 'home');
    mkdirSync(home, { recursive: true });
    const child = spawn(join(unpacked, 'resources/bin/millrace'), args, {
      cwd: dir,
      env: { PATH: '/usr/bin:/bin', HOME: home, MILLRACE_DATA_DIR: join(dir, 'data') }, // no DISPLAY
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.push(child);
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        text += String(chunk);
      });
    return { child, said: () => text };
  };

  it('serves with --headless, and a --worker beside it runs its tasks', async () => {
    expect(existsSync(join(unpacked, 'resources/bin/millrace'))).toBe(true);
    const server = launch('--headless', '--redis', redis.url, '--port', '0', '--workers', '0');
    const address = await waitFor('its address', () => /on (http:\S+)/.exec(server.said())?.[1] ?? null);
    const api = new TestApi(address);
    const { id } = await api.submit({ task_type: 'text_processing', payload: { text: 'one two three' } });
    expect((await api.task(id)).status).toBe('pending'); // nobody is there to run it
    const worker = launch('--worker', '--redis', redis.url);
    await api.until(id, 'completed');
    worker.child.kill('SIGTERM');
    expect((await once(worker.child, 'exit'))[0]).toBe(0);
  });

  it('tells its version without starting Chromium', async () => {
    const { child, said } = launch('--version');
    expect((await once(child, 'exit'))[0]).toBe(0);
    expect(said().trim()).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
