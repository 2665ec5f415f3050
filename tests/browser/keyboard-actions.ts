/** Keys that do something, copy, or change how things are shown. By the rows of docs/console.md. */
import { expect } from 'vitest';
import { list, livePage, operations, queueOf, untilTotal } from '../support/console-steps';
import {
  aside,
  dialog,
  idOf,
  type KeyboardCases,
  type KeyboardPlace,
  leadsTo,
  listed,
  press,
  rows,
} from './keyboard-place';

export const actingCases = ({ world, poolId }: KeyboardPlace): KeyboardCases => ({
  '`r`': async () => {
    const [task] = (await list(world, 'status=failed&task_type=api_call')).tasks;
    const retried = async (route: string, label: string) => {
      const page = await livePage(world, route);
      await aside(page, label)
        .getByText(/^Failed/)
        .first()
        .waitFor();
      const answer = page.waitForResponse((each) => each.url().endsWith('/retry'));
      await press(page, 'r');
      expect((await answer).status()).toBe(200);
      await page.close();
      await world.api.until(task?.id ?? '', 'failed');
    };
    await retried(`tasks?id=${task?.id}`, 'task');
    await retried(`failures/tasks?id=${task?.id}`, 'Dead letter');
    for (const [route, keys] of [
      ['failures', 'j o r'],
      ['tasks', 'j x j x r'],
      ['failures/tasks', 'j x j x r'],
    ] as const) {
      const page = await listed(world, route);
      await press(page, keys);
      await dialog(page).getByRole('button', { name: 'Cancel' }).waitFor();
      await page.close();
    }
  },
  '`Shift R`': async () => {
    for (const route of ['tasks', 'failures/tasks']) {
      const page = await listed(world, route);
      await press(page, 'j x Shift+R');
      await dialog(page)
        .getByText(/^Requeue/)
        .first()
        .waitFor();
      await page.close();
    }
    const page = await livePage(world, `workers/${poolId}`);
    await aside(page, 'Pool').waitFor();
    const answer = page.waitForResponse((each) => each.url().endsWith('/restart'));
    await press(page, 'Shift+R');
    expect((await answer).ok()).toBe(true);
  },
  '`e`': async () => {
    const id = await idOf(world, 'status=failed');
    for (const [route, label, title] of [
      [`tasks?id=${id}`, 'task', /^Edit and requeue/],
      [`failures/tasks?id=${id}`, 'Dead letter', /^Edit and requeue/],
      [`workers/${poolId}`, 'Pool', /^Edit/],
    ] as const) {
      const page = await livePage(world, route);
      await aside(page, label).getByRole('button').nth(2).waitFor();
      await press(page, 'e');
      await page.getByRole('dialog', { name: title }).waitFor();
      await page.close();
    }
  },
  '`c`': async () => {
    const task = await world.api.submit({ task_type: 'nobody.serves.it', queue: 'spare', payload: {} });
    const page = await livePage(world, 'tasks?query=queue%3Aspare');
    await rows(page).first().waitFor();
    await press(page, 'j c'); // under the cursor, without being opened
    await world.api.until(task.id, 'cancelled');
  },
  '`⌫`': async () => {
    const id = await idOf(world, 'status=failed');
    for (const [route, label] of [
      [`tasks?id=${id}`, 'task'],
      [`failures/tasks?id=${id}`, 'Dead letter'],
    ] as const) {
      const page = await livePage(world, route);
      await aside(page, label).getByRole('button').nth(2).waitFor();
      await press(page, 'Backspace');
      await dialog(page).waitFor();
      await page.close();
    }
    const page = await listed(world, 'failures');
    await press(page, 'j o Backspace');
    await dialog(page)
      .getByText(/^Purge/)
      .first()
      .waitFor();
  },
  '`p`': async () => {
    const page = await livePage(world, 'queues/orders');
    await page.getByRole('region', { name: 'Queue orders' }).waitFor();
    await press(page, 'p');
    await expect.poll(async () => (await queueOf(world, 'orders')).paused).toBe(true);
    await page.getByRole('button', { name: 'Resume' }).waitFor(); // the page has heard of it
    await press(page, 'p');
    await expect.poll(async () => (await queueOf(world, 'orders')).paused).toBe(false);
    await page.getByRole('button', { name: 'Pause', exact: false }).first().waitFor();
    const started = await world.api.call('POST', '/api/operations', {
      action: 'reprioritise',
      filter: { queue: 'orders' },
      priority: 5,
      rate: 0.05,
      expected_count: 3,
    });
    const { id } = (await started.json()) as { id: string };
    const state = async () => (await operations(world)).find((each) => each.id === id)?.state;
    await page.goto(`${world.base}/#/operations/${id}`);
    await aside(page, 'Operation')
      .getByText(/running/i)
      .first()
      .waitFor();
    await press(page, 'p');
    await expect.poll(state).toBe('paused');
    await world.api.call('POST', `/api/operations/${id}/abort`);
  },
  '`+` `-`': async () => {
    const processes = async () => (await world.api.pools())[0]?.processes;
    const page = await livePage(world, `workers/${poolId}`);
    await aside(page, 'Pool').waitFor();
    const before = await processes();
    await press(page, '+');
    await expect.poll(processes).toBe((before ?? 0) + 1);
    await aside(page, 'Pool')
      .getByText(`of ${(before ?? 0) + 1} up`)
      .waitFor();
    // The number may be there before the answer to the first key: a pool that is being changed takes no second one.
    await aside(page, 'Pool').locator('button[aria-label="One process fewer"]:enabled').waitFor();
    await press(page, '-');
    await expect.poll(processes).toBe(before);
  },
  '`Shift N`': async () => {
    const page = await livePage(world, 'workers');
    await page.getByRole('main').getByRole('button', { name: 'Start a pool…' }).waitFor();
    await press(page, 'Shift+N');
    await page.getByRole('dialog', { name: /^Start a pool/ }).waitFor();
  },
  '`f`': async () => {
    const page = await livePage(world, `tasks?id=${await idOf(world, 'status=processing')}`);
    await aside(page, 'task')
      .getByText(/^Processing/)
      .first()
      .waitFor();
    await press(page, 'f');
    await aside(page, 'task').getByRole('button', { name: 'Follow', exact: true }).waitFor();
    await press(page, 'f');
    await aside(page, 'task').getByRole('button', { name: 'Following', pressed: true }).waitFor();
  },
  '`Ctrl .`': async () => {
    const page = await listed(world, 'tasks');
    await press(page, 'Control+.');
    await page.getByRole('button', { name: /^Resume live/, pressed: true }).waitFor();
    await press(page, 'Control+.');
    await page.getByRole('button', { name: /^Pause live/, pressed: false }).waitFor();
  },
  '`y i` `y l` `y j` `y c`': async () => {
    const id = await idOf(world, 'status=failed');
    for (const [route, label, copies] of [
      [`tasks?id=${id}`, 'task', { 'y i': id, 'y l': `#/tasks?id=${id}`, 'y j': `"${id}"`, 'y c': 'curl -X POST' }],
      [`failures/tasks?id=${id}`, 'Dead letter', { 'y i': id, 'y l': `#/failures/tasks?id=${id}` }],
      ['queues', '', { 'y l': '#/queues' }],
    ] as const) {
      const page = await livePage(world, route);
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      if (label !== '') await aside(page, label).getByRole('button').nth(2).waitFor();
      for (const [keys, text] of Object.entries(copies)) {
        await press(page, keys);
        await expect.poll(() => page.evaluate(() => navigator.clipboard.readText()), { message: keys }).toContain(text);
      }
      await page.close();
    }
  },
  '`Ctrl E`': async () => {
    for (const route of ['failures', 'failures/tasks', 'audit']) {
      const page = await listed(world, route);
      const saved = page.waitForEvent('download');
      await press(page, 'Control+e');
      expect((await saved).suggestedFilename(), route).toMatch(/\.jsonl$/);
      await page.close();
    }
  },
  '`t`': async () => {
    const page = await listed(world, 'tasks');
    const shown = async () => (await page.getByRole('main').locator('time').first().textContent()) ?? '';
    const texts = [await shown()];
    for (const zone of [/./, /^UTC$/]) {
      await press(page, 't');
      await page.getByRole('contentinfo').getByText(zone).first().waitFor();
      texts.push(await shown());
    }
    expect(texts[1]).toMatch(/\d\d:\d\d/);
    expect(texts[1]).not.toBe(texts[0]);
    expect(texts[2]).toMatch(/\d\d:\d\d/);
  },
  '`Ctrl I` `Ctrl B`': async () => {
    const page = await livePage(world, `tasks?id=${await idOf(world, 'status=failed')}`);
    await aside(page, 'task').waitFor();
    await press(page, 'Control+i');
    await aside(page, 'task').waitFor({ state: 'detached' });
    await press(page, 'Control+i');
    await aside(page, 'task').waitFor();
    await press(page, 'Control+b');
    await page.locator('.win.collapsed').waitFor();
  },
  '`[` `]`': async () => {
    const page = await livePage(world, 'queues');
    await leadsTo(page, 'g a', 'Audit');
    await leadsTo(page, '[', 'Queues');
    await leadsTo(page, ']', 'Audit');
  },
  '`Ctrl Z`': async () => {
    const page = await livePage(world, 'queues/orders');
    await page.getByRole('region', { name: 'Queue orders' }).waitFor();
    await press(page, 'p');
    await page.getByText('Paused orders').first().waitFor();
    await press(page, 'Control+z');
    await expect.poll(async () => (await queueOf(world, 'orders')).paused).toBe(false);
  },
  '`Ctrl K`': async () => {
    const page = await livePage(world);
    await press(page, 'Control+k');
    await page.getByRole('combobox', { name: 'Command, screen or task id' }).waitFor();
  },
  '`?`': async () => {
    const page = await livePage(world, 'queues/orders');
    await page.getByRole('region', { name: 'Queue orders' }).waitFor();
    await press(page, '?');
    const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    for (const entry of ['Pause orders', 'Filter queues', 'Next queue'])
      await sheet.getByText(entry, { exact: true }).waitFor();
  },
  '`Ctrl Enter`': async () => {
    const page = await livePage(world, `tasks?id=${await idOf(world, 'status=failed')}`);
    await aside(page, 'task').getByRole('button').nth(2).waitFor();
    await press(page, 'e');
    await dialog(page).getByRole('textbox').first().waitFor();
    const answer = page.waitForResponse((each) => each.url().endsWith('/retry'));
    await press(page, 'Control+Enter');
    expect((await answer).status()).toBe(200);
    await untilTotal(world, 'status=failed', 4);
  },
});
