/**
 * The console in a real browser against a real `millrace --headless` with real workers and its own Redis: started for
 * one test file, ended with everything that it started.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from '@playwright/test';
import { z } from 'zod';
import { StatsOverview } from '#queue/contract/queue';
import { findChromium } from '../../scripts/system-needs.mjs';
import { MillraceProcess, TestApi, waitFor } from './millrace-process';

export const VIEWS = [
  'overview',
  'failures',
  'tasks',
  'queues',
  'workers',
  'submit',
  'operations',
  'metrics',
  'audit',
  'settings',
] as const;

export interface ConsoleOptions {
  /** Further arguments of the server. */
  args?: readonly string[];
  env?: Record<string, string>;
}

export class ConsoleWorld {
  readonly dir: string;
  readonly base: string;
  readonly api: TestApi;
  readonly browser: Browser;
  server: MillraceProcess;
  readonly #options: ConsoleOptions;
  readonly #errors: string[] = [];

  private constructor(dir: string, base: string, server: MillraceProcess, browser: Browser, options: ConsoleOptions) {
    this.dir = dir;
    this.base = base;
    this.api = new TestApi(base);
    this.server = server;
    this.browser = browser;
    this.#options = options;
  }

  static async start(options: ConsoleOptions = {}): Promise<ConsoleWorld> {
    const dir = mkdtempSync(join(tmpdir(), 'millrace-console-'));
    const server = serve(dir, '0', options);
    const [base, browser] = await Promise.all([
      server.address(),
      chromium.launch({
        executablePath: findChromium() ?? 'chromium',
        args: ['--no-sandbox', '--disable-background-networking', '--disable-gpu'],
      }),
    ]);
    return new ConsoleWorld(dir, base, server, browser, options);
  }

  /** A fresh page on a view; what it writes to its console as an error fails the test in `noErrors`. */
  async page(route = '', { theme = 'light', width = 1280, height = 800 }: PageOptions = {}): Promise<Page> {
    const viewport = { width, height };
    const context = await this.browser.newContext({ viewport, colorScheme: theme, reducedMotion: 'reduce' });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => this.#errors.push(`${route}: ${error.message}`));
    page.on('console', (message) => {
      // A refused connection is the browser's own line while a test has the server down.
      if (
        message.type() === 'error' &&
        !/ERR_CONNECTION|Failed to load resource|WebSocket connection/.test(message.text())
      )
        this.#errors.push(`${route}: ${message.text()}`);
    });
    await page.goto(`${this.base}/#/${route}`);
    return page;
  }

  /** Errors of all pages since the last call. */
  takeErrors(): string[] {
    return this.#errors.splice(0);
  }

  /** Kills the server as the kernel would, and waits until it is gone. */
  async killServer(): Promise<void> {
    this.server.signal('SIGKILL');
    await this.server.ended;
  }

  /** The same server again, on the same port and the same data. */
  async startServer(): Promise<void> {
    this.server = serve(this.dir, new URL(this.base).port, this.#options);
    await this.server.address();
  }

  /** Of the Redis that the server has started. */
  get redisPid(): number {
    return z.object({ pid: z.int() }).parse(JSON.parse(readFileSync(join(this.dir, 'redis', 'server.json'), 'utf8')))
      .pid;
  }

  async stop(): Promise<void> {
    await this.browser.close();
    this.server.signal('SIGTERM');
    await this.server.ended;
    rmSync(this.dir, { recursive: true, force: true });
  }
}

interface PageOptions {
  theme?: 'light' | 'dark';
  width?: number;
  height?: number;
}

const serve = (dir: string, port: string, { args = [], env = {} }: ConsoleOptions): MillraceProcess =>
  new MillraceProcess({
    args: ['--headless', '--port', port, '--data-dir', dir, ...args],
    env: { LOG_LEVEL: 'warn', ...env },
  });

/** Tasks of every state: some that complete, a group that fails, one that waits for its time, one that nobody serves. */
export async function fillWithTasks({ api }: ConsoleWorld): Promise<void> {
  const failing = {
    task_type: 'api_call',
    max_retries: 0,
    payload: { url: 'http://127.0.0.1:9/charge', method: 'POST', body: { order_id: 41_168 } },
  };
  await api.call('POST', '/api/tasks/bulk', {
    tasks: [
      ...Array.from({ length: 6 }, (_, index) => ({
        task_type: 'text_processing',
        name: `Text ${index}`,
        payload: { text: `Number ${index} of some words.` },
      })),
      ...Array.from({ length: 5 }, (_, index) => ({ ...failing, name: `Order ${index}`, tags: ['tenant-42'] })),
      { task_type: 'text_processing', run_at: '2099-01-01T00:00:00.000Z', payload: { text: 'later' } },
      { task_type: 'nobody.serves.it', payload: {} },
    ],
  });
  await waitFor('the tasks to end', async () => {
    const stats = StatsOverview.parse(await (await api.call('GET', '/api/tasks/stats/overview')).json());
    return stats.completed >= 6 && stats.failed >= 5 ? stats : null;
  });
}
