/**
 * `node scripts/screenshots.mjs [--all DIR]`: the pictures of the console, taken from the real program. A headless server
 * of its own, on a free port and a data folder that is removed again, lives through the demo's incident; then Chromium
 * takes every screen in both themes. Nothing in them is drawn. Into docs/images go those that the documents show; all
 * of them go to DIR.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import sharp from 'sharp';
import { bootstrap } from './bootstrap.mjs';
import { apiOf } from './demo/api.mjs';
import { SCREENS } from './demo/screens.mjs';
import { ROOT } from './run.mjs';
import { findChromium } from './system-needs.mjs';

const VIEWPORT = { width: 1440, height: 900 };
const IMAGES = join(ROOT, 'docs', 'images');
/** Of the incident: so long that the tasks of its first minute have used up their retries. */
const INCIDENT_MINUTES = '10';
const DEAD_LETTERS = 120;
const PATIENCE_MS = 240_000;
const CALM_S = 150;
const SETTLE_MS = 900;
/** Colours of a picture: text, lines and states; no photograph. */
const COLOURS = 128;

const { values } = parseArgs({ options: { all: { type: 'string' } } });
if (!bootstrap({ needs: ['redis', 'chromium'] })) process.exit(1);
for (const dir of [IMAGES, values.all]) if (dir !== undefined) mkdirSync(dir, { recursive: true });

const browser = await chromium.launch({
  executablePath: findChromium(),
  args: ['--no-sandbox', '--disable-background-networking'],
});
const production = {
  MILLRACE_ENVIRONMENT: 'production',
  MILLRACE_PROFILE: 'eu-orders',
  MILLRACE_SAFE_MODE: 'read-only',
  WORKERS: '0',
};
try {
  await Promise.all([withServer({}, calm), withServer(production, incident)]);
} finally {
  await browser.close();
}

/** A local queue on a quiet day. */
async function calm(base, api) {
  const text = 'Redis keeps the queue. Workers keep the promises.';
  const mail = { to: 'ada@example.com', subject: 'Your order', text: 'Thank you.' };
  for (let second = 0; second < CALM_S; second++) {
    const tasks = [
      { task_type: 'text_processing', payload: { text } },
      ...(second % 2 === 0 ? [{ task_type: 'email', queue: 'emails', payload: mail }] : []),
      ...(second % 3 === 0 ? [{ task_type: 'text_processing', queue: 'search', payload: { text } }] : []),
    ];
    await api.submitAll(tasks);
    await sleep(1000);
  }
  await takeAll(base, api, 'calm');
}

/** A production queue, some minutes into its incident. */
async function incident(base, api) {
  await api.post('/api/session/unlock', { reason: 'INC-2041: captures fail at psp-north', minutes: 15 });
  const args = [join(ROOT, 'scripts', 'demo-incident.mjs'), '--base', base, '--minutes', INCIDENT_MINUTES];
  const demo = spawn(process.execPath, args, { stdio: 'inherit' });
  try {
    await deadLetters(api, demo);
    await requeueSome(api);
    await takeAll(base, api, 'unlocked');
    await api.post('/api/session/lock');
    await takeAll(base, api, 'locked');
    await api.post('/api/session/unlock', { reason: 'INC-2041: the pools go', minutes: 5 });
  } finally {
    if (demo.exitCode === null && demo.kill('SIGTERM')) await once(demo, 'exit');
  }
}

/** An operation under way, slow enough to be seen, of the mails that were one too many. */
async function requeueSome(api) {
  const filter = { task_type: ['email.send'] };
  const { matched } = await api.post('/api/dlq/requeue', { filter, dry_run: true });
  await api.post('/api/dlq/requeue', { filter, expected_count: matched, rate: 0.1 });
}

async function deadLetters(api, demo) {
  const until = Date.now() + PATIENCE_MS;
  while (Date.now() < until) {
    if (demo.exitCode !== null) throw new Error('the incident ended early');
    const { groups } = await api.get('/api/dlq/groups');
    if (groups.some(({ task_type, count }) => task_type === 'charge.capture' && count >= DEAD_LETTERS)) return;
    await sleep(2000);
  }
  throw new Error('too few dead letters came about');
}

async function takeAll(base, api, when) {
  for (const theme of ['dark', 'light']) {
    for (const screen of SCREENS.filter((one) => one.when === when)) {
      if (screen.documented !== true && values.all === undefined) continue;
      const page = await browser.newPage({ viewport: VIEWPORT, colorScheme: theme, reducedMotion: 'reduce' });
      page.setDefaultTimeout(15_000);
      try {
        const at = typeof screen.at === 'function' ? await screen.at(api) : screen.at;
        await page.goto(`${base}/#/${at}`);
        await screen.prepare?.(page, api);
        await sleep(SETTLE_MS);
        await keep(screen, `${screen.name}-${theme}.png`, await page.screenshot());
      } catch (error) {
        console.error(`${screen.name}, ${theme}: ${error.message}`);
        process.exitCode = 1;
      } finally {
        await page.close();
      }
    }
  }
}

async function keep({ documented }, file, picture) {
  const image = sharp(picture).png({ palette: true, colours: COLOURS, effort: 7, compressionLevel: 9, dither: 0 });
  if (documented === true) await image.toFile(join(IMAGES, file));
  if (values.all !== undefined) await image.toFile(join(values.all, file));
}

/** Runs against a server of its own, that is gone afterwards. */
async function withServer(env, work) {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-pictures-'));
  const server = spawn(process.execPath, [join(ROOT, 'out', 'main', 'cli.js'), '--headless', '--port', '0'], {
    env: { ...process.env, ...env, MILLRACE_DATA_DIR: dir },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const base = await addressOf(server);
    await work(base, apiOf(base, console.log, new AbortController().signal));
  } finally {
    if (server.exitCode === null && server.kill('SIGTERM')) await once(server, 'exit');
    rmSync(dir, { recursive: true, force: true });
  }
}

async function addressOf({ stdout }) {
  let said = '';
  for await (const chunk of stdout.iterator({ destroyOnReturn: false })) {
    said += chunk;
    const [, url] = / on (http:\S+)\n/.exec(said) ?? [];
    if (url) return url;
  }
  throw new Error('millrace ended before it had an address');
}
