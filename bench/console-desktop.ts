/** Cold start of the desktop app: from the start of its process to a usable overview. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron as electron } from '@playwright/test';

/** @returns ms of each start */
export async function measureDesktopStarts(program: string, redisUrl: string, repetitions: number): Promise<number[]> {
  const display = await openDisplay();
  const ms: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++)
    ms.push(await start(program, redisUrl, display.name));
  await display.close();
  return ms;
}

async function start(program: string, redisUrl: string, display: string): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const home = { HOME: dir, MILLRACE_DATA_DIR: join(dir, 'data'), REDIS_URL: redisUrl, WORKERS: '0', DISPLAY: display };
  const began = performance.now();
  const app = await electron.launch({
    executablePath: program,
    args: [process.cwd()],
    cwd: dir,
    env: { PATH: process.env.PATH ?? '', ...home },
  });
  try {
    const page = await app.firstWindow();
    await page.getByRole('contentinfo').getByRole('status').filter({ hasText: 'Live' }).waitFor();
    await page.locator('.kpi .value', { hasText: /\d/ }).first().waitFor();
    return performance.now() - began;
  } finally {
    await app.close();
    await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

/** On Linux a display that nobody else uses; elsewhere the one that is there. */
async function openDisplay(): Promise<{ name: string; close: () => Promise<void> }> {
  if (process.platform !== 'linux') return { name: '', close: async () => undefined };
  const args = ['-displayfd', '3', '-screen', '0', '1920x1080x24', '-nolisten', 'tcp'];
  const server = spawn('Xvfb', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const pipe = server.stdio[3];
  if (!pipe) throw new Error('Xvfb has no pipe to tell its display');
  const [number] = await once(pipe, 'data');
  return {
    name: `:${String(number).trim()}`,
    close: async () => {
      server.kill('SIGTERM');
      await once(server, 'exit');
    },
  };
}
