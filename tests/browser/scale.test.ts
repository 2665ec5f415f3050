import type { Page } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { LIMITS } from '#queue/contract/limits';
import { ConsoleWorld } from '../support/console-world';
import { waitFor } from '../support/millrace-process';

const TASKS = 20_000;
/** What fits a window, and a few more above and below. */
const ROWS_IN_PAGE = 100;
const Frame = z.object({ type: z.string() });

let world: ConsoleWorld;
beforeAll(async () => {
  world = await ConsoleWorld.start();
  for (let sent = 0; sent < TASKS; sent += LIMITS.bulkTasks) await submitMany(LIMITS.bulkTasks);
});
afterAll(() => world?.stop());

async function submitMany(count: number, task_type = 'nobody.serves.it'): Promise<void> {
  const tasks = Array.from({ length: count }, (_, n) => ({ task_type, queue: 'still', payload: { n } }));
  const answer = await world.api.call('POST', '/api/tasks/bulk', { tasks });
  expect(answer.status).toBeLessThan(300);
}

const live = (page: Page) => page.getByRole('contentinfo').getByRole('status').filter({ hasText: 'Live' }).waitFor();
const rows = (page: Page) => page.locator('table[aria-label="Tasks"] tbody tr[id]');

/** The place of the last row in the page. */
const lastPlace = async (page: Page) => Number(await rows(page).last().getAttribute('aria-rowindex'));

describe('a list of 20 000 tasks', () => {
  it('is read on as one scrolls, with no more rows in the page than fit it', async () => {
    const page = await world.page('tasks');
    const pages: string[] = [];
    page.on('request', (request) => {
      if (new URL(request.url()).pathname === '/api/tasks' && request.url().includes('cursor='))
        pages.push(request.url());
    });
    await rows(page).first().waitFor();
    expect(Number(await page.locator('table[aria-label="Tasks"]').getAttribute('aria-rowcount'))).toBe(TASKS);
    expect(pages).toEqual([]);
    await page.locator('table[aria-label="Tasks"]').focus();
    let before = 0;
    while (pages.length < 6) {
      await page.keyboard.press('End');
      const reached = await waitFor('further rows', async () => {
        const place = await lastPlace(page);
        return place > before ? place : null;
      });
      expect(await rows(page).count()).toBeLessThan(ROWS_IN_PAGE);
      before = reached;
    }
    expect(before).toBeGreaterThan(1000);
    expect(new Set(pages).size).toBe(pages.length);
    await page.keyboard.press('Home');
    await page.locator('tr[aria-rowindex="1"]').waitFor();
    expect(await rows(page).count()).toBeLessThan(ROWS_IN_PAGE);
    expect(world.takeErrors()).toEqual([]);
    await page.close();
  });
});

describe('rows that lend their elements to others', () => {
  const ELEMENTS = `[...document.querySelectorAll('table[aria-label="Tasks"] tbody tr[id]')]`;
  const scrollTo = (page: Page, place: number) =>
    page.evaluate(`document.querySelector('table[aria-label="Tasks"]').parentElement.scrollTop = ${28 * (place - 1)}`);
  const row = (page: Page, place: number) => page.locator(`table[aria-label="Tasks"] tr[aria-rowindex="${place}"]`);

  it('scroll without a row being built, and keep order, checks and focus with the rows that they belong to', async () => {
    const page = await world.page('tasks');
    await row(page, 30).waitFor();
    await scrollTo(page, 80);
    await waitFor('the next page', async () =>
      Number(await page.evaluate(`${ELEMENTS}[0].closest('table').scrollHeight`)) > 28 * 200 ? true : null,
    );
    await scrollTo(page, 40); // both ends have spare rows from here on
    await row(page, 60).waitFor();
    await page.evaluate(`${ELEMENTS}.forEach((each) => (each.marked = true))`);
    await scrollTo(page, 60);
    await row(page, 80).waitFor();
    expect(await page.evaluate(`${ELEMENTS}.every((each) => each.marked)`)).toBe(true);
    const places = await rows(page).evaluateAll((all) => all.map((each) => Number(each.ariaRowIndex)));
    expect(places).toEqual(places.map((_, n) => (places[0] ?? 0) + n));

    const id = await row(page, 62).getByRole('button').getAttribute('title');
    const box = row(page, 62).getByRole('checkbox');
    await box.click();
    expect(await row(page, 62).getAttribute('aria-selected')).toBe('true');
    expect(await box.evaluate((each) => each === document.activeElement)).toBe(true);
    await scrollTo(page, 120);
    await row(page, 140).waitFor();
    expect(await page.locator('tbody tr[aria-selected="true"], tbody :checked').count()).toBe(0);
    // the box that was clicked is another row's now: a space would check that one
    expect(await page.evaluate('document.activeElement.ariaLabel')).toBe('Tasks');
    await scrollTo(page, 60);
    await row(page, 62).waitFor();
    expect(await row(page, 62).getByRole('checkbox').isChecked()).toBe(true);
    expect(await row(page, 62).getByRole('button').getAttribute('title')).toBe(id);
    expect(await page.locator('tbody tr[aria-selected="true"]').count()).toBe(1);

    await page.keyboard.press('ArrowDown');
    const active = await page.locator('table[aria-label="Tasks"]').getAttribute('aria-activedescendant');
    expect(await page.locator(`[id="${active}"]`).getAttribute('aria-rowindex')).toBe('63');
    // a box that is checked stays checked where a range ends on it
    await row(page, 62)
      .getByRole('checkbox')
      .click({ modifiers: ['Shift'] });
    expect(await row(page, 62).getByRole('checkbox').isChecked()).toBe(true);
    expect(world.takeErrors()).toEqual([]);
    await page.close();
  });
});

describe('a payload at the bound of the API', () => {
  /** Many small values, and one text that is long. */
  const payload = {
    lines: Array.from({ length: 3000 }, (_, n) => ({ sku: `sku-${n}`, amount: n, note: 'of some length' })),
    text: 'word '.repeat(18_000),
  };

  it('opens as a tree that has only what fits it in the page, and leaves the tabs free', async () => {
    const bytes = JSON.stringify(payload).length;
    expect(bytes).toBeGreaterThan(0.9 * LIMITS.payloadBytes);
    const task = await world.api.submit({ task_type: 'nobody.serves.it', queue: 'large', payload });
    const page = await world.page(`tasks?id=${task.id}`);
    const inspector = page.getByRole('complementary');
    await inspector.getByRole('tab', { name: 'Payload' }).click();
    const tree = inspector.getByRole('tree', { name: 'Payload' });
    const items = tree.getByRole('treeitem');
    expect(await items.first().textContent()).toContain('3000');
    await items.first().click();
    await items.nth(2).waitFor();
    expect(await items.count()).toBeLessThan(ROWS_IN_PAGE);
    await tree.hover();
    await page.mouse.wheel(0, 20 * payload.lines.length);
    await items.filter({ hasText: /90.?002 characters/ }).waitFor();
    expect(await items.count()).toBeLessThan(ROWS_IN_PAGE);
    await inspector.getByText('Raw', { exact: true }).click();
    await inspector.getByRole('list', { name: 'Payload as it was written' }).waitFor();
    await inspector.getByRole('tab', { name: 'Attempts' }).click();
    await inspector.getByRole('tabpanel', { name: 'attempts' }).waitFor();
    await page.close();
  });
});

describe('a gap in the stream', () => {
  it('is closed by a new snapshot, and the list is true again', async () => {
    const page = await world.page('settings');
    const frames: string[] = [];
    let through = true;
    let cut = (): Promise<unknown> => Promise.resolve();
    await page.routeWebSocket(/\/ws$/, async (socket) => {
      if (!through) return socket.close();
      const server = socket.connectToServer();
      server.onMessage((message) => {
        frames.push(Frame.parse(JSON.parse(String(message))).type);
        socket.send(message);
      });
      cut = () => Promise.all([server.close(), socket.close()]);
    });
    await page.goto(`${world.base}/#/tasks?query=type:within.the.gap`);
    await page.reload(); // another hash alone is the same page, with a WebSocket that nobody looks at
    await live(page);
    await page.getByRole('status').filter({ hasText: '0 match' }).waitFor();
    through = false;
    await cut();
    await page
      .getByRole('contentinfo')
      .getByRole('status')
      .filter({ hasText: /Reconnecting|Connecting/ })
      .waitFor();
    frames.length = 0;
    await submitMany(3, 'within.the.gap');
    // more than the server keeps for those who come back
    await submitMany(LIMITS.wsReplayFrames + 1);
    through = true;
    await live(page);
    await page.getByRole('status').filter({ hasText: '3 match' }).waitFor();
    expect(await rows(page).count()).toBe(3);
    expect(frames).toContain('resync');
    expect(frames).toContain('snapshot');
    expect(world.takeErrors()).toEqual([]);
    await page.close();
  });
});
