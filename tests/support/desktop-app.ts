/** The desktop app as a real process in a real Electron: started, looked at, and ended with everything that it started. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ElectronApplication, _electron as electron, type Page } from '@playwright/test';
import { inject } from 'vitest';
import { isAlive, TestApi, waitFor } from './millrace-process';

const ROOT = join(import.meta.dirname, '../..');
const START_MS = 60_000;

export interface DesktopOptions {
  /** Packaged program; default: the checkout, in the runtime of the tests. */
  program?: string;
  args?: readonly string[];
  env?: Record<string, string>;
}

/** A folder for one app and all that it starts; `close` ends what was left running there and removes it. */
export class DesktopWorld {
  readonly dir = mkdtempSync(join(tmpdir(), 'millrace-desktop-'));
  readonly dataDir = join(this.dir, 'data');
  readonly #apps: DesktopApp[] = [];

  environment(extra: Record<string, string> = {}): Record<string, string> {
    mkdirSync(join(this.dir, 'home'), { recursive: true });
    return {
      PATH: process.env.PATH ?? '',
      HOME: join(this.dir, 'home'),
      DISPLAY: inject('display') || (process.env.DISPLAY ?? ''),
      MILLRACE_DATA_DIR: this.dataDir,
      ...extra,
    };
  }

  async start(options: DesktopOptions = {}): Promise<DesktopApp> {
    const { program, args = [], env } = options;
    const application = await electron.launch({
      executablePath: program ?? inject('electron').program,
      args: [...(program === undefined ? [ROOT] : []), ...args],
      cwd: this.dir,
      env: this.environment(env),
      timeout: START_MS,
    });
    const app = new DesktopApp(application, await application.firstWindow({ timeout: START_MS }));
    this.#apps.push(app);
    return app;
  }

  /** Pid of the local Redis of this folder; null while none is recorded. */
  get redisPid(): number | null {
    const file = join(this.dataDir, 'redis', 'server.json');
    if (!existsSync(file)) return null;
    const { pid }: { pid: number } = JSON.parse(readFileSync(file, 'utf8'));
    return pid;
  }

  /** Pids of the workers that were left running. */
  get leftWorkers(): number[] {
    const file = join(this.dataDir, 'left-workers.json');
    if (!existsSync(file)) return [];
    const marks: { pid: number }[] = JSON.parse(readFileSync(file, 'utf8'));
    return marks.map(({ pid }) => pid);
  }

  async close(): Promise<void> {
    const started = [...this.leftWorkers, this.redisPid ?? 0, ...this.#apps.flatMap(({ pid }) => descendants(pid))];
    for (const app of this.#apps) await app.kill9();
    for (const pid of started) if (pid > 0 && isAlive(pid)) process.kill(pid, 'SIGKILL');
    // Nobody writes any more once all are gone; what they begin on their way out is caught by the retries.
    await waitFor('all that the app has started to be gone', () => (started.some(isAlive) ? null : true));
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

/** Processes that a process has started, and those that these have. */
function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const parent = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // it has ended meanwhile
    }
  }
  const found = [...(children.get(pid) ?? [])];
  for (let n = 0; n < found.length; n++) found.push(...(children.get(found[n] ?? 0) ?? []));
  return found;
}

export class DesktopApp {
  readonly application: ElectronApplication;
  /** The first window. */
  readonly first: Page;
  readonly pid: number;
  readonly #child: ChildProcess;
  log = '';

  constructor(application: ElectronApplication, first: Page) {
    this.application = application;
    this.first = first;
    const child = application.process(); // cannot be asked for once it has ended
    this.#child = child;
    this.pid = child.pid ?? 0;
    child.stderr?.on('data', (chunk: Buffer) => {
      this.log += String(chunk);
    });
  }

  /** From the start page to the local queue, as one click does it. @returns the window of the queue */
  async openLocalQueue(): Promise<Page> {
    const opened = this.application.waitForEvent('window');
    await this.first.evaluate(() => {
      // The start page may be closed before the answer comes.
      void (globalThis as unknown as BridgePage).millrace.profiles.startLocal({ demo: false });
    });
    const page = await opened;
    await this.live(page);
    return page;
  }

  /** Until the page follows its queue; where it does not, the error says what it shows, and what the app has said. */
  async live(page: Page): Promise<void> {
    await page
      .getByText('Live', { exact: true })
      .waitFor()
      .catch(async (error: unknown) => {
        const shown = await page.locator('body').ariaSnapshot().catch(String);
        throw new Error(`not live: ${page.url()}\n${shown}\n${this.log.slice(-4000)}`, { cause: error });
      });
  }

  apiOf(page: Page, token?: string): TestApi {
    return new TestApi(new URL(page.url()).origin, token);
  }

  /** Of the main process; does not go through the menu. */
  async quit(): Promise<void> {
    await this.application.close();
  }

  /** As the system does it when memory is short: nobody is told. */
  async kill9(): Promise<void> {
    if (!isAlive(this.pid)) return;
    this.#child.kill('SIGKILL');
    await waitFor('the app to be gone', () => (isAlive(this.pid) ? null : true));
  }

  /** What the next question of the app is answered with, by the text of a button. @returns the questions that came */
  async answerQuestions(button: RegExp): Promise<void> {
    await this.application.evaluate(({ dialog }, pattern) => {
      const asked: unknown[] = [];
      Object.assign(globalThis, { askedQuestions: asked });
      dialog.showMessageBox = async (...given: unknown[]) => {
        const options = given.at(-1) as { message: string; buttons: string[] };
        asked.push({ message: options.message, buttons: options.buttons });
        return {
          response: options.buttons.findIndex((text) => new RegExp(pattern).test(text)),
          checkboxChecked: false,
        };
      };
    }, button.source);
  }

  questions(): Promise<{ message: string; buttons: string[] }[]> {
    return this.application.evaluate(
      () => (globalThis as unknown as { askedQuestions: { message: string; buttons: string[] }[] }).askedQuestions,
    );
  }
}

/** `window` of a page of ours, as far as the tests call it. */
export interface BridgePage {
  millrace: import('#main/bridge/contract').Bridge;
}
