/**
 * `node scripts/screenshots.mjs`: the pictures in docs/images, taken from the real program. A headless server of its
 * own, on a free port and a data folder that is removed again, is given the work of a small shop for half a minute;
 * then Chromium takes a picture of the page in both themes. Nothing in them is drawn.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from '@playwright/test';
import { bootstrap } from './bootstrap.mjs';
import { ROOT, which } from './run.mjs';

const VIEWPORT = { width: 1280, height: 800 };
const IMAGES = join(ROOT, 'docs', 'images');
const WORK_MS = 25_000;
const QUEUES = 'default,emails=2,images,reports';
const WORKERS = 2;
const PICTURE = readFileSync(join(ROOT, 'resources', 'icons', 'tray@2x.png')).toString('base64');

/** Slow enough to be seen at work. */
const TRANSCODE = `
import { defineHandler, z } from 'millrace';
import { setTimeout as sleep } from 'node:timers/promises';
export default defineHandler({
  type: 'transcode',
  payload: z.object({ file: z.string(), seconds: z.number() }),
  async run({ payload, progress, signal }) {
    for (let i = 1; i <= 100; i++) {
      await sleep(payload.seconds * 10, undefined, { signal });
      await progress(i, 'frame ' + i * 240 + ' of 24000');
    }
    return { file: payload.file.replace('.mov', '.mp4') };
  },
});
`;

if (!bootstrap({ needs: ['redis', 'chromium'] })) process.exit(1);
const dir = mkdtempSync(join(tmpdir(), 'millrace-pictures-'));
mkdirSync(join(dir, 'handlers'));
writeFileSync(join(dir, 'handlers', 'transcode.ts'), TRANSCODE);
const shop = await startShop();
const millrace = startMillrace();
try {
  const base = await addressOf(millrace);
  await fillWithWork(base);
  mkdirSync(IMAGES, { recursive: true });
  await takePictures(base);
} finally {
  millrace.kill('SIGTERM');
  await once(millrace, 'exit');
  shop.close();
  rmSync(dir, { recursive: true, force: true });
}

/** What api_call tasks talk to: mostly well, sometimes overloaded, and one address that is gone. */
async function startShop() {
  let calls = 0;
  const server = createServer((request, response) => {
    calls++;
    const busy = request.url === '/v2/invoices' || calls % 9 === 0;
    const status = request.url?.startsWith('/v1/') ? 410 : busy ? 503 : 200;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ stock: calls % 50 }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function startMillrace() {
  const args = [
    '--headless',
    '--port',
    '0',
    '--queues',
    QUEUES,
    '--workers',
    String(WORKERS),
    '--handlers',
    join(dir, 'handlers'),
  ];
  const env = {
    ...process.env,
    MILLRACE_DATA_DIR: join(dir, 'data'),
    MILLRACE_ALLOW_PRIVATE: '127.0.0.1',
    CONCURRENCY: '4',
  };
  return spawn(process.execPath, [join(ROOT, 'out', 'main', 'cli.js'), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

async function addressOf({ stdout }) {
  let said = '';
  for await (const chunk of stdout) {
    said += chunk;
    const [, url] = / on (http:\S+)\n/.exec(said) ?? [];
    if (url) return url;
  }
  throw new Error('millrace ended before it had an address');
}

async function fillWithWork(base) {
  while ((await (await fetch(`${base}/api/workers`)).json()).workers.length < WORKERS) await sleep(100);
  const until = Date.now() + WORK_MS;
  for (let order = 4711; Date.now() < until; order++) {
    for (const task of tasksOf(order)) await submit(base, task);
    await sleep(120);
  }
  // What the pictures are taken over: some work under way, and some that waits.
  const parts = [];
  for (let i = 0; i < 7; i++) {
    const payload = { file: `tour-${i + 1}.mov`, seconds: 12 + 3 * i };
    const task = {
      task_type: 'transcode',
      queue: 'images',
      name: `Tour, part ${i + 1}`,
      payload,
      priority: 7 - (i % 3),
    };
    parts.push(await submit(base, task));
  }
  const { port } = shop.address();
  const url = `http://127.0.0.1:${port}/v2/invoices`;
  await submit(base, { task_type: 'report_generation', queue: 'reports', name: 'Tour, index', depends_on: parts });
  for (let i = 1; i <= 3; i++)
    await submit(base, { task_type: 'api_call', name: `Invoice ${i}`, backoff: { base: 60 }, payload: { url } });
  for (const task of tasksOf(9001)) await submit(base, task);
  await sleep(4000);
}

/** What one order of the shop brings about. */
function tasksOf(order) {
  const { port } = shop.address();
  const api = `http://127.0.0.1:${port}`;
  const customer = `customer-${order % 37}@example.com`;
  const tasks = [
    {
      task_type: 'email',
      queue: 'emails',
      name: `Order ${order} confirmed`,
      priority: 8,
      payload: { to: customer, subject: `Your order ${order}`, text: 'Thank you.' },
    },
    { task_type: 'api_call', name: `Stock of order ${order}`, payload: { url: `${api}/v2/stock/${order}` } },
  ];
  if (order % 2 === 0) {
    const payload = { content: PICTURE, operation: 'thumbnail', size: 48, format: 'webp' };
    tasks.push({ task_type: 'image_processing', queue: 'images', name: `Thumbnail ${order}`, priority: 4, payload });
  }
  if (order % 11 === 0) {
    const payload = {
      title: 'Orders',
      rows: [
        { day: 'Mon', orders: order % 90 },
        { day: 'Tue', orders: order % 70 },
      ],
    };
    tasks.push({ task_type: 'report_generation', queue: 'reports', name: 'Daily report', priority: 3, payload });
  }
  if (order % 43 === 0)
    tasks.push({ task_type: 'api_call', name: 'Loyalty points', max_retries: 0, payload: { url: `${api}/v1/points` } });
  if (order % 61 === 0)
    tasks.push({
      task_type: 'email',
      queue: 'emails',
      name: 'Newsletter',
      payload: { to: 'nobody at home', subject: 'News', text: '…' },
    });
  if (order % 17 === 0) {
    const run_at = new Date(Date.now() + 3_600_000 + order * 1000).toISOString();
    tasks.push({
      task_type: 'email',
      queue: 'emails',
      name: `How was order ${order}?`,
      run_at,
      payload: { to: customer, subject: 'How was it?', text: '…' },
    });
  }
  return tasks;
}

async function submit(base, task) {
  const answer = await fetch(`${base}/api/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(task),
  });
  if (answer.status !== 201) throw new Error(`${task.task_type}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()).id;
}

async function takePictures(base) {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const browser = await chromium.launch({
    executablePath: names.map(which).find((path) => path !== undefined),
    args: ['--no-sandbox', '--disable-background-networking'],
  });
  try {
    for (const colorScheme of ['dark', 'light']) {
      const page = await browser.newPage({ viewport: VIEWPORT, colorScheme });
      await page.goto(base);
      await page.getByRole('row').filter({ hasText: 'transcode' }).first().waitFor();
      await sleep(1500); // some frames of live work
      await page.screenshot({ path: join(IMAGES, `overview-${colorScheme}.png`) });
      await page.close();
    }
  } finally {
    await browser.close();
  }
}
