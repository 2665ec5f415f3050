import type { Page } from '@playwright/test';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { FailureGroup } from '#queue/contract/failure';
import {
  Gates,
  livePage,
  newest,
  queueOf,
  read,
  statistics,
  submitAll,
  untilTotal,
  workersOf,
} from '../support/console-steps';
import { ConsoleWorld, VIEWS } from '../support/console-world';

const REASON = 'Mend the orders of today';
/** Names of buttons that write, whatever else is on the screen. */
const WRITES =
  /^(Pause|Resume|Limits…|Purge…|Requeue…|Delete…|Cancel…|Priority|Retry now|Run now|Edit…|Edit & requeue…|Cancel|Start a pool…|Start workers|Edit pool…|Restart|Restart worker|Quiet|Stop…|Abort…|One process (more|fewer).*|Make a key…|Revoke…|Submit( 1)?( task)?)( ?\S{1,2})?$/;

const gates = new Gates();
let world: ConsoleWorld;
let failedId = '';
let runningId = '';
beforeAll(async () => {
  world = await ConsoleWorld.start({
    args: ['--handlers', gates.dir],
    env: { MILLRACE_SAFE_MODE: 'read-only', MILLRACE_ENVIRONMENT: 'production' },
  });
  await world.api.call('POST', '/api/session/unlock', { reason: 'Fill it for the tests', minutes: 5 });
  await submitAll(world, [
    { task_type: 'api_call', max_retries: 0, payload: { url: 'http://127.0.0.1:9/' } },
    { task_type: 'gated', payload: { gate: gates.path('stays shut') } },
    { task_type: 'nobody.serves.it', queue: 'orders', payload: {} },
  ]);
  await untilTotal(world, 'status=failed', 1);
  await untilTotal(world, 'status=processing', 1);
  [failedId, runningId] = [(await newest(world, 'status=failed')).id, (await newest(world, 'status=processing')).id];
  await world.api.call('POST', '/api/session/lock');
});
afterAll(async () => {
  await world?.stop();
  gates[Symbol.dispose]();
});

/** What of the writing buttons on screen can be pressed. */
async function pressable(page: Page): Promise<{ seen: string[]; live: string[] }> {
  const seen: string[] = [];
  const live: string[] = [];
  const main = page.getByRole('main');
  for (const button of [...(await main.getByRole('button').all()), ...(await main.getByRole('link').all())]) {
    const name = ((await button.getAttribute('aria-label')) ?? (await button.textContent()) ?? '')
      .replace(/\s+/g, ' ')
      .trim();
    if (!WRITES.test(name)) continue;
    seen.push(name);
    if (await button.isEnabled()) live.push(name);
  }
  return { seen, live };
}

it.each([
  ...VIEWS.map((view) => ({ route: view as string })),
  { route: 'failures?group=first' },
  { route: 'failures/tasks' },
  { route: 'tasks?id=failed' },
  { route: 'tasks?id=running' },
  { route: 'queues/orders' },
  { route: 'workers/first' },
])('refuses on $route what would write, with words', async ({ route }) => {
  const { groups } = await read(world, '/api/dlq/groups', z.object({ groups: z.array(FailureGroup) }));
  const [worker] = await workersOf(world);
  const named = route
    .replace('group=first', `group=${groups[0]?.fingerprint}`)
    .replace('id=failed', `id=${failedId}`)
    .replace('id=running', `id=${runningId}`)
    .replace('workers/first', `workers/${worker?.id}`);
  const page = await livePage(world, named);
  await page
    .getByRole('banner')
    .getByRole('button', { name: /Read-only/ })
    .waitFor();
  await page.locator('main .sk').first().waitFor({ state: 'detached' });
  if (named !== route) await page.getByRole('complementary').getByRole('button').nth(2).waitFor();
  const { seen, live } = await pressable(page);
  expect(live, `of ${seen.join(', ')}`).toEqual([]);
  if (/^(overview|queues\/|workers|failures\?|tasks\?)/.test(named)) expect(seen.length).toBeGreaterThan(0);
  if (seen.length > 0) {
    const words = await page
      .getByRole('main')
      .evaluate((main) =>
        [main.textContent, ...[...main.querySelectorAll('[title]')].map((each) => each.getAttribute('title'))].join(
          '\n',
        ),
      );
    expect(words).toContain('Read-only');
  }
  expect(world.takeErrors()).toEqual([]);
  await page.close();
});

it('refuses an operation on a selection before it is asked about, by buttons and keys alike', async () => {
  const page = await livePage(world, 'tasks');
  await page.getByRole('grid', { name: 'Tasks' }).getByRole('checkbox', { name: 'Check this row' }).first().click();
  const bar = page.getByRole('region', { name: 'Selection' });
  await bar.getByText('Read-only: unlock first').waitFor();
  for (const name of ['Requeue…', 'Cancel…', 'Change the priority of the selection', 'Delete…']) {
    const button = bar.getByRole('button', { name });
    expect(await button.isDisabled(), name).toBe(true);
    expect(await button.getAttribute('title')).toContain('Read-only');
  }
  await page.keyboard.press('r');
  await page.keyboard.press('?'); // comes after it: the dialog would stand there by now
  await page.getByRole('dialog').waitFor();
  expect(await page.getByRole('dialog').count()).toBe(1);
  await page.close();
});

/** As a page would that has been tampered with. */
const forced = (page: Page) =>
  page.evaluate(
    async ({ failed, running }) => {
      const calls = [
        ['POST', '/api/tasks', { task_type: 'text_processing', payload: { text: 'x' } }],
        ['POST', `/api/tasks/${failed}/retry`, {}],
        ['POST', `/api/tasks/${running}/cancel`, {}],
        ['DELETE', `/api/tasks/${failed}`, undefined],
        ['POST', '/api/queues/orders/pause', undefined],
        ['PUT', '/api/queues/orders/limits', { concurrency: 1 }],
        ['POST', '/api/queues/orders/purge', { confirm: 'orders' }],
        ['POST', '/api/dlq/requeue', { filter: { status: 'failed' }, expected_count: 1 }],
        ['POST', '/api/dlq/purge', { filter: { status: 'failed' }, confirm: true, expected_count: 1 }],
        ['POST', '/api/operations', { action: 'cancel', filter: {}, expected_count: 3 }],
        ['POST', '/api/pools', { name: 'mine', queues: [{ name: '*' }], processes: 1 }],
        ['POST', '/api/keys', { name: 'mine', role: 'admin' }],
      ] as const;
      return Promise.all(
        calls.map(async ([method, path, body]) => {
          const answer = await fetch(path, {
            method,
            headers: { 'content-type': 'application/json' },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          });
          return { call: `${method} ${path}`, status: answer.status, code: JSON.parse(await answer.text()).code };
        }),
      );
    },
    { failed: failedId, running: runningId },
  );

it('answers forced calls of the page with 403, and changes nothing', async () => {
  const before = await statistics(world);
  const page = await livePage(world);
  for (const answer of await forced(page)) expect(answer).toMatchObject({ status: 403, code: 'READ_ONLY' });
  const after = await statistics(world);
  expect([after.total, after.pending, after.processing, after.failed]).toEqual([
    before.total,
    before.pending,
    before.processing,
    before.failed,
  ]);
  await page.close();
});

it('is unlocked with a reason for some minutes, counts down, works, is locked again, and all of it is in the audit', async () => {
  const page = await livePage(world, 'queues/orders');
  const title = page.getByRole('banner');
  await title.getByRole('button', { name: /Read-only/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Unlock PRODUCTION' });
  const unlock = dialog.getByRole('button', { name: 'Unlock for 15 minutes' });
  expect(await unlock.isDisabled()).toBe(true);
  await dialog.getByLabel('Reason').fill(REASON);
  await unlock.click();

  const left = title.getByRole('button', { name: /Unlocked/ });
  const countdown = async () => (await left.textContent())?.match(/(\d+):(\d\d) left/)?.[0];
  const shown = await countdown();
  expect(shown).toMatch(/^1[45]:\d\d left$/);
  await expect.poll(countdown, { timeout: 10_000 }).not.toBe(shown);

  const queue = page.getByRole('region', { name: 'Queue orders' });
  await queue.getByRole('button', { name: /^Pause/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Pause orders' }).click();
  await queue.getByRole('button', { name: /^Resume/ }).waitFor();
  expect((await queueOf(world, 'orders')).paused).toBe(true);

  await left.click();
  await title.getByRole('button', { name: /Read-only/ }).waitFor();
  await queue.getByText('Read-only: unlock first').waitFor();
  expect(await queue.getByRole('button', { name: /^Resume/ }).isDisabled()).toBe(true);

  await page.goto(`${world.base}/#/audit`);
  const rows = page.getByRole('grid', { name: 'Audit' }).getByRole('row');
  await rows.filter({ hasText: REASON }).first().waitFor();
  const audit = await page.getByRole('grid', { name: 'Audit' }).textContent();
  expect(audit).toMatch(/session\.lock[\s\S]*queue\.pause[\s\S]*session\.unlock/);
  expect(world.takeErrors()).toEqual([]);
  await page.close();
});
