/**
 * `npm run bench -- --console`: how large the console is, how fast it starts and finds, what a busy stream costs its page,
 * and what an open window costs Redis. One server, one browser; figures with their promises, and no verdict by a clock.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startRedis } from '../tests/support/redis-server';
import { bundleSizes } from './bundle-size';
import { measureDesktopStarts } from './console-desktop';
import { ConsoleLoad, INDEXED } from './console-load';
import { ConsolePage, type Costs } from './console-page';
import { startHeadless } from './headless-server';
import { quantile, spread } from './report';

export interface ConsoleBench {
  /** That stand still while the console looks for them. */
  tasks: number;
  repetitions: number;
  /** That each stream lasts. */
  seconds: number;
  eventsPerSecond: number;
  /** Folder for CPU profiles of the page; empty for none. */
  profiles: string;
  /** Only the parts whose name has this in it. */
  only: string;
  /** Program of an Electron; empty where none is at hand. */
  electron: string;
}

const COUNTED_S = 10;
/** Until what has just begun flows evenly. */
const SETTLED_MS = 3000;
const READS_PER_FIELD = 10;
const SCROLL_NOTCHES = 300;
const LOADED_ROWS = 100_000;
const SCROLL_FRAMES = 600;
/** A few rows a frame, and a screen a frame: a drag of the bar. */
const SCROLL_PX = [120, 800] as const;
/** One frame of a screen, with what its clock leaves uncertain. */
const FRAME_MS = 20;
const SLOW_FRAME_MS = 50;
const HEAP_PARTS = 4;
const HEAP_LOOK_MS = 250;
const VIEWS = { Overview: '#/', Tasks: '#/tasks', Queues: '#/queues' } as const;
const KIB = 1024;
const MIB = 1024 * KIB;

const say = (what: string, figure: string, promise = '') =>
  console.log(`  ${what.padEnd(34)} ${figure}${promise === '' ? '' : `   promised: ${promise}`}`);

export async function measureConsole(options: ConsoleBench): Promise<void> {
  const { tasks, repetitions, seconds, eventsPerSecond, profiles, only, electron } = options;
  console.log('\nRenderer bundle, after gzip (KiB)');
  const sizes = [...bundleSizes(join(process.cwd(), 'out/renderer'))];
  for (const [file, bytes] of sizes) say(file, (bytes / KIB).toFixed(1));
  say('all', (sizes.reduce((sum, [, bytes]) => sum + bytes, 0) / KIB).toFixed(1), '400 at most');

  const redis = await startRedis({ args: ['--appendfsync', 'everysec'] });
  const admin = new Redis({ host: redis.host, port: redis.port });
  const load = new ConsoleLoad(redis, admin);
  console.error(`submits ${tasks} tasks`);
  await load.fill(tasks);
  const server = await startHeadless(redis.url);
  try {
    const parts = { 'cold start': coldStarts, 'first rows': firstRows, scrolling, stream: windowAndStream };
    for (const [name, measure] of Object.entries(parts)) if (name.includes(only)) await measure();
  } finally {
    await server.stop();
    await load.close();
    admin.disconnect();
    await redis.stop();
  }

  async function coldStarts(): Promise<void> {
    console.log('\nCold start to a usable Overview (ms)');
    const ms: number[] = [];
    for (let repetition = 0; repetition < repetitions; repetition++)
      ms.push(await ConsolePage.use(server.base, '#/', (page) => page.usable()));
    say('Chromium, from the navigation on', spread(ms), '2000 at most');
    if (electron === '') say('Electron', 'not measured: none is at hand');
    else
      say(
        'Electron, from its process on',
        `${spread(await measureDesktopStarts(electron, redis.url, repetitions))}`,
        `2000 at most   (${electron})`,
      );
  }

  async function firstRows(): Promise<void> {
    console.log(`\nFirst rows of an indexed filter, painted, of ${tasks} tasks (ms)`);
    await ConsolePage.use(server.base, '#/tasks', async (page) => {
      await page.live();
      for (const [field, queries] of Object.entries(INDEXED)) {
        const ms: number[] = [];
        await kept(page, `First rows by ${field}`, async () => {
          for (let read = 0; read < READS_PER_FIELD; read++)
            for (const query of queries) ms.push(await page.rowsOf(query));
        });
        say(field, `${spread(ms)}, p95 ${quantile(ms, 0.95).toFixed(0)}`, '150 at most');
      }
    });
  }

  async function scrolling(): Promise<void> {
    console.log('\nScrolling through the list, pages read on the way');
    await ConsolePage.use(server.base, '#/tasks', async (page) => {
      await page.live();
      await page.reset();
      const start = performance.now();
      await kept(page, 'Scrolling', () => page.scroll(SCROLL_NOTCHES));
      await tell(page, (performance.now() - start) / 1000);
    });
    await ConsolePage.use(server.base, '#/tasks', async (page) => {
      await page.live();
      const loaded = await page.loadRows(LOADED_ROWS);
      for (const px of SCROLL_PX) {
        console.log(`\nScrolling through ${loaded} loaded rows, ${px} px a frame`);
        const before = await page.costs();
        await page.reset();
        await kept(page, `Scrolling ${px} px`, () => page.scrollUp(px, SCROLL_FRAMES));
        const { frames } = await page.readings();
        tellFrames(frames);
        const ms = (1000 * ((await page.costs()).busy - before.busy)) / frames.length;
        say('main thread busy a frame (ms)', ms.toFixed(1));
      }
    });
  }

  function tellFrames(frames: readonly number[]): void {
    const over = (ms: number) => frames.filter((each) => each > ms).length;
    say(`frames over ${FRAME_MS} ms`, `${over(FRAME_MS)} of ${frames.length}`);
    say(`frames over ${SLOW_FRAME_MS} ms`, `${over(SLOW_FRAME_MS)}`, 'none');
    say('a frame (ms)', `${quantile(frames, 0.5).toFixed(1)}, p99 ${quantile(frames, 0.99).toFixed(1)}`);
  }

  function kept(page: ConsolePage, name: string, run: () => Promise<void>): Promise<void> {
    return profiles === '' ? run() : page.profiled(join(profiles, `${name}.cpuprofile`), run);
  }

  /** What the page did in `lasted` seconds. */
  async function tell(page: ConsolePage, lasted: number): Promise<void> {
    const { longTasks, frames, paints, messages } = await page.readings();
    const longest = longTasks.length === 0 ? '' : `, the longest ${Math.max(...longTasks).toFixed(0)} ms`;
    say('tasks over 50 ms', `${longTasks.length}${longest}`, 'none');
    say('frames a second', (frames.length / lasted).toFixed(1));
    say('of these with a change', (paints / lasted).toFixed(1));
    say('WebSocket messages a second', (messages / lasted).toFixed(0));
  }

  async function windowAndStream(): Promise<void> {
    const counted = () => load.commandsPerSecond(() => sleep(COUNTED_S * 1000));
    const idleAlone = await counted();
    const idle = new Map<string, number>();
    for (const [view, hash] of Object.entries(VIEWS))
      await ConsolePage.use(server.base, hash, async (page) => {
        await page.live();
        idle.set(view, await counted());
      });
    const endStream = await load.stream(eventsPerSecond);
    try {
      await sleep(SETTLED_MS);
      const busyAlone = await counted();
      for (const [view, hash] of Object.entries(VIEWS)) {
        console.log(`\n${eventsPerSecond} events a second for ${seconds} s, ${view}`);
        const busy = await ConsolePage.use(server.base, hash, (page) => watch(page, view));
        say('Redis commands/s of a window, idle', cost(idle.get(view) ?? Number.NaN, idleAlone), '200 at most');
        say('Redis commands/s of a window', cost(busy, busyAlone), '200 at most');
      }
    } finally {
      await endStream();
    }
  }

  /** @returns commands a second that Redis has run meanwhile */
  async function watch(page: ConsolePage, view: string): Promise<number> {
    await page.live();
    await sleep(SETTLED_MS);
    const before = await page.costs();
    await page.reset();
    const start = performance.now();
    const least: number[] = [];
    const wait = async () => {
      for (let part = 1; part <= HEAP_PARTS; part++)
        least.push(await leastHeap(page, start + (1000 * seconds * part) / HEAP_PARTS));
    };
    const commands = await load.commandsPerSecond(() => kept(page, view, wait));
    const lasted = (performance.now() - start) / 1000;
    await tell(page, lasted);
    const after = await page.costs();
    const mib = ({ heapBytes }: Pick<Costs, 'heapBytes'>) => (heapBytes / MIB).toFixed(1);
    say('main thread busy (%)', ((100 * (after.busy - before.busy)) / lasted).toFixed(0));
    say('heap before and after (MiB)', `${mib(before)}, ${mib(after)}`, 'flat');
    say('its least, by quarters', least.map((heapBytes) => mib({ heapBytes })).join(', '), 'flat');
    return commands;
  }
}

/** The heap right after the page's own collections, until then. */
async function leastHeap(page: ConsolePage, until: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  while (performance.now() < until) {
    least = Math.min(least, await page.heapBytes());
    await sleep(Math.max(0, Math.min(HEAP_LOOK_MS, until - performance.now())));
  }
  return least;
}

const cost = (withWindow: number, without: number) =>
  `${(withWindow - without).toFixed(0)}  (${withWindow.toFixed(0)} with it, ${without.toFixed(0)} without)`;
