import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Gates, livePage, newest, submitAll, untilTotal } from '../support/console-steps';
import { ConsoleWorld } from '../support/console-world';

const IMAGE = '<img src=x onerror="window.broken=1">';
const SCRIPT = '</script><script>window.broken=1</script>';
const LINK = 'javascript:window.broken=1';
const RIGHT_TO_LEFT = '\u202egnp.exe';
const ANSI = '\u001b[31mred\u001b[0m \u001b]0;title\u0007after';

/** Says and fails with what it is given. */
const ECHO = `
import { defineHandler, z } from 'millrace';
export default defineHandler({
  type: 'echo',
  payload: z.object({ words: z.array(z.string()), fails: z.boolean() }).loose(),
  async run({ payload, log, progress }) {
    for (const line of payload.words) log.error(line);
    await progress(50, payload.words[0]);
    if (payload.fails) throw new Error(payload.words.join(' '));
    return { words: payload.words, link: payload.words[2] };
  },
});
`;
const WORDS = [IMAGE, SCRIPT, LINK, RIGHT_TO_LEFT, ANSI];

const gates = new Gates();
let world: ConsoleWorld;
let failed = '';
let completed = '';
beforeAll(async () => {
  writeFileSync(join(gates.dir, 'echo.ts'), ECHO);
  world = await ConsoleWorld.start({ args: ['--handlers', gates.dir] });
  const task = (fails: boolean) => ({
    task_type: 'echo',
    name: `${IMAGE}${RIGHT_TO_LEFT}${ANSI}`,
    tags: [IMAGE, LINK],
    owner: IMAGE,
    max_retries: 0,
    payload: { words: WORDS, fails, [IMAGE]: LINK, turns: RIGHT_TO_LEFT, second: 'plain', third: 'plain' },
  });
  await submitAll(world, [
    ...Array.from({ length: 12 }, () => task(true)), // enough to be told of on the first screen
    { ...task(false), idempotency_key: IMAGE },
  ]);
  await untilTotal(world, 'status=failed', 12);
  await untilTotal(world, 'status=completed', 1);
  [failed, completed] = [(await newest(world, 'status=failed')).id, (await newest(world, 'status=completed')).id];
});
afterAll(async () => {
  await world?.stop();
  gates[Symbol.dispose]();
});

/** Nothing of it has become markup, a link or a running script. */
async function expectOnlyText(page: Page): Promise<void> {
  expect(await page.evaluate('window.broken')).toBeUndefined();
  expect(await page.locator('img[src="x"], [onerror], a[href^="javascript:" i]').count()).toBe(0);
  expect(await page.locator('body script:not([src])').count()).toBe(0);
  expect(world.takeErrors()).toEqual([]);
}

const shown = (page: Page, text: string) => page.getByRole('main').getByText(text, { exact: false }).first().waitFor();

it.each([
  { where: 'the overview', route: '' },
  { where: 'the groups', route: 'failures' },
  { where: 'the dead tasks', route: 'failures/tasks' },
  { where: 'the task list', route: 'tasks' },
  { where: 'the query', route: `tasks?query=${encodeURIComponent(`"${IMAGE.replaceAll('"', '\\"')}"`)}` },
])('shows hostile names and errors as text in $where', async ({ route }) => {
  const page = await livePage(world, route);
  await shown(page, 'onerror');
  await expectOnlyText(page);
  await page.close();
});

it.each(['Summary', 'Payload', 'Attempts', 'Logs', 'Events', 'Related'])(
  'shows hostile text as text in the part %s of a task',
  async (tab) => {
    for (const id of [failed, completed]) {
      const page = await livePage(world, `tasks?id=${id}`);
      const inspector = page.getByRole('complementary', { name: 'task' });
      await inspector.getByRole('tab', { name: new RegExp(`^${tab}`) }).click();
      if (tab !== 'Attempts') await inspector.getByRole('tabpanel').getByText('onerror').first().waitFor();
      await expectOnlyText(page);
      if (tab === 'Logs') {
        const log = await inspector.getByRole('log').textContent();
        expect(log).toContain('red after'); // without what a terminal would do with it
        expect(log).not.toContain('\u001b');
      }
      await page.close();
      if (tab === 'Events') break; // only the failed one has an error in its history
    }
  },
);

it('shows it as text in a failure group, its tasks, the dialog and the note of an operation, and the audit', async () => {
  const page = await livePage(world, 'failures');
  await page.getByRole('grid', { name: 'Failure groups' }).getByRole('row').nth(1).click();
  const inspector = page.getByRole('complementary', { name: 'Failure group' });
  await inspector.getByText('onerror').first().waitFor();
  await inspector.getByRole('tab', { name: /^Tasks/ }).click();
  await inspector.getByRole('listitem').filter({ hasText: 'onerror' }).first().waitFor();
  await expectOnlyText(page);
  await inspector.getByRole('button', { name: 'Requeue…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('onerror').first().waitFor();
  await expectOnlyText(page);
  await dialog.getByRole('button', { name: 'Requeue 12 tasks' }).click();
  await page.getByRole('button', { name: 'View operation' }).click();
  await page.getByRole('complementary', { name: 'Operation' }).getByText('12 of 12').waitFor();
  await expectOnlyText(page);
  await page.goto(`${world.base}/#/audit?text=${encodeURIComponent(IMAGE)}`);
  await page.getByRole('heading', { name: 'Audit' }).waitFor();
  await expectOnlyText(page);
  await page.close();
});

it('does not let a value that turns the direction of writing reorder what stands beside it', async () => {
  const page = await livePage(world, `tasks?query=${encodeURIComponent('state:completed')}`);
  await page.setViewportSize({ width: 2400, height: 800 });
  const row = page.getByRole('grid', { name: 'Tasks' }).getByRole('row').nth(1);
  const left = async (key: string) => {
    const box = await row.getByText(key, { exact: true }).boundingBox();
    if (box === null) throw new Error(`no ${key}`);
    return box.x;
  };
  const keys = await row.locator('.preview .k').allTextContents();
  expect(keys).toEqual(expect.arrayContaining(['second', 'third']));
  expect(await left('second')).toBeLessThan(await left('third'));
  await page.close();
});

it('runs no inline script even where markup got in: the policy of the page forbids it', async () => {
  const page = await livePage(world);
  const refused = await page.evaluate(`new Promise((resolve) => {
    document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective), { once: true });
    document.body.insertAdjacentHTML('beforeend', ${JSON.stringify(IMAGE.replace('src=x', 'src="data:,"'))});
  })`);
  expect(refused).toMatch(/^script-src/);
  expect(await page.evaluate('window.broken')).toBeUndefined();
  const inline = await page.evaluate(`{
    const script = document.createElement('script');
    script.textContent = 'window.broken = 1';
    document.head.append(script);
    window.broken;
  }`);
  expect(inline).toBeUndefined();
  expect(world.takeErrors().join('\n')).toContain('Content Security Policy');
  const policy = (await fetch(world.base)).headers.get('content-security-policy');
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain('unsafe');
  await page.close();
});
