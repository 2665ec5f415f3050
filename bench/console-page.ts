/** The console in a Chromium of its own, with the probe in its page and the browser's own counters beside it. */
import { writeFile } from 'node:fs/promises';
import { type CDPSession, chromium, type Page } from '@playwright/test';
import { z } from 'zod';
import probe from './console-probe.js?raw';

/** Named by scripts/bench.mjs. */
const CHROMIUM = process.env.CHROMIUM_PATH ?? 'chromium';
const VIEWPORT = { width: 1280, height: 800 };

const Readings = z.object({
  longTasks: z.array(z.number()),
  /** ms each. */
  frames: z.array(z.number()),
  paints: z.number(),
  messages: z.number(),
});
export type Readings = z.infer<typeof Readings>;

/** What the page's main thread has done since it was opened, and what it holds after a collection. */
export interface Costs {
  /** Seconds. */
  readonly busy: number;
  readonly heapBytes: number;
}

export class ConsolePage {
  readonly #page: Page;
  readonly #cdp: CDPSession;

  private constructor(page: Page, cdp: CDPSession) {
    this.#page = page;
    this.#cdp = cdp;
  }

  /** For as long as `use` takes, a browser that was not there before, with nothing in its cache. */
  static async use<T>(base: string, hash: string, use: (page: ConsolePage) => Promise<T>): Promise<T> {
    const args = ['--no-sandbox', '--disable-background-networking', '--disable-gpu'];
    const browser = await chromium.launch({ executablePath: CHROMIUM, args });
    try {
      const page = await browser.newPage({ viewport: VIEWPORT });
      await page.addInitScript(probe);
      const cdp = await page.context().newCDPSession(page);
      await cdp.send('Performance.enable');
      await page.goto(`${base}/${hash}`);
      return await use(new ConsolePage(page, cdp));
    } finally {
      await browser.close();
    }
  }

  /** @returns ms from the navigation's start until the page was live and had its six numbers */
  async usable(): Promise<number> {
    return z.number().parse(await this.#page.evaluate('consoleProbe.usable'));
  }

  async live(): Promise<void> {
    await this.#page.getByRole('contentinfo').getByRole('status').filter({ hasText: 'Live' }).waitFor();
  }

  /** @returns ms from the change of the address until the first rows that were read for it were painted */
  async rowsOf(query: string): Promise<number> {
    const hash = `#/tasks?${new URLSearchParams({ query })}`;
    return z.number().parse(await this.#page.evaluate(`consoleProbe.rowsOf(${JSON.stringify(hash)})`));
  }

  /** Turns the wheel over the rows, one notch a frame or so. */
  async scroll(notches: number): Promise<void> {
    await this.#page.mouse.move(VIEWPORT.width / 2, VIEWPORT.height / 2);
    for (let notch = 0; notch < notches; notch++) await this.#page.mouse.wheel(0, 400);
  }

  /** Reads pages of the list until so many rows, or all, are in the page's memory. @returns how many there are */
  async loadRows(count: number): Promise<number> {
    return z.number().parse(await this.#page.evaluate(`consoleProbe.loadRows(${count})`));
  }

  /** Moves the list up by so much with each frame. */
  async scrollUp(px: number, frames: number): Promise<void> {
    await this.#page.evaluate(`consoleProbe.scrollUp(${px}, ${frames})`);
  }

  reset(): Promise<unknown> {
    return this.#page.evaluate('consoleProbe.reset()');
  }

  async readings(): Promise<Readings> {
    return Readings.parse(await this.#page.evaluate('consoleProbe.read()'));
  }

  async costs(): Promise<Costs> {
    await this.#cdp.send('HeapProfiler.collectGarbage');
    return { busy: await this.#metric('TaskDuration'), heapBytes: await this.heapBytes() };
  }

  /** With the garbage that is in it: no collection disturbs what is measured. */
  heapBytes(): Promise<number> {
    return this.#metric('JSHeapUsedSize');
  }

  async #metric(name: string): Promise<number> {
    const { metrics } = await this.#cdp.send('Performance.getMetrics');
    return metrics.find((each) => each.name === name)?.value ?? Number.NaN;
  }

  /** A CPU profile of what `run` takes, into a file that a browser's developer tools open. */
  async profiled(file: string, run: () => Promise<void>): Promise<void> {
    await this.#cdp.send('Profiler.enable');
    await this.#cdp.send('Profiler.start');
    await run();
    const { profile } = await this.#cdp.send('Profiler.stop');
    await writeFile(file, JSON.stringify(profile));
  }
}
