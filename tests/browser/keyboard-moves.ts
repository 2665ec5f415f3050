/** Keys that lead somewhere and move in lists. By the rows of docs/console.md. */
import { expect } from 'vitest';
import { livePage } from '../support/console-steps';
import {
  aside,
  at,
  checked,
  focused,
  idOf,
  type KeyboardCases,
  type KeyboardPlace,
  LISTS,
  leadsTo,
  listed,
  press,
  rows,
} from './keyboard-place';

export const movingCases = ({ world }: KeyboardPlace): KeyboardCases => ({
  '`g o` `g f` `g t` `g q` `g w`': async () => {
    const page = await livePage(world, 'audit');
    for (const [keys, title] of [
      ['g o', 'Overview'],
      ['g f', 'Failures'],
      ['g t', 'Tasks'],
      ['g q', 'Queues'],
      ['g w', 'Workers'],
    ] as const)
      await leadsTo(page, keys, title);
  },
  '`g p` `g m` `g a`': async () => {
    const page = await livePage(world);
    for (const [keys, title] of [
      ['g p', 'Operations'],
      ['g m', 'Metrics'],
      ['g a', 'Audit'],
    ] as const)
      await leadsTo(page, keys, title);
  },
  '`n`': async () => leadsTo(await livePage(world), 'n', 'Submit'),
  '`Ctrl ,`': async () => leadsTo(await livePage(world), 'Control+,', 'Settings'),
  '`/`': async () => {
    for (const [route, label] of [
      ['tasks', 'Query'],
      ['failures', 'Filter the groups'],
      ['failures/tasks', 'Filter the dead letters'],
      ['queues', 'Filter queues'],
      ['audit', 'Filter the audit'],
    ] as const) {
      const page = await livePage(world, route);
      await press(page, '/');
      await expect.poll(() => focused(page), { message: route }).toBe(label);
      await page.close();
    }
  },
  '`Esc`': async () => {
    for (const [route, label] of LISTS) {
      const page = await listed(world, route);
      await press(page, 'j Enter');
      await aside(page, label).waitFor();
      await press(page, 'Escape');
      await aside(page, label).waitFor({ state: 'detached' });
      await page.close();
    }
    const page = await livePage(world, 'queues/orders');
    const queue = page.getByRole('region', { name: 'Queue orders' });
    await queue.waitFor();
    await press(page, '/ Escape');
    expect(await queue.isVisible()).toBe(true); // the field first
    await press(page, 'Escape');
    await queue.waitFor({ state: 'detached' });
    await page.goto(`${world.base}/#/tasks/${await idOf(world, 'status=failed')}`);
    await page
      .getByRole('link', { name: /Tasks|Back/ })
      .first()
      .waitFor();
    await press(page, 'Escape');
    await page.getByRole('grid', { name: 'Tasks' }).waitFor();
  },
  '`j` `k`': async () => {
    for (const route of [...LISTS.map(([each]) => each), 'queues', 'audit']) {
      const page = await listed(world, route);
      const seen: number[] = [];
      for (const key of ['j', 'j', 'k', 'ArrowDown', 'ArrowUp']) {
        await press(page, key);
        seen.push(await at(page));
      }
      expect(seen, route).toEqual([0, 1, 0, 1, 0]);
      await page.close();
    }
  },
  '`Enter` `o`': async () => {
    for (const [route, label] of LISTS)
      for (const key of ['Enter', 'o']) {
        const page = await listed(world, route);
        await press(page, `j ${key}`);
        await aside(page, label).waitFor();
        await page.close();
      }
    const page = await listed(world, 'queues');
    await press(page, 'j o');
    await page.getByRole('region', { name: /^Queue / }).waitFor();
  },
  '`Shift Enter`': async () => {
    const page = await listed(world, 'tasks');
    await press(page, 'j o');
    await aside(page, 'task').waitFor();
    await aside(page, 'task').getByRole('heading').first().click();
    await press(page, 'Shift+Enter');
    await expect.poll(() => page.url()).toMatch(/#\/tasks\/[0-9A-Z]{26}$/);
  },
  '`h` `l`': async () => {
    const page = await livePage(world, `tasks?id=${await idOf(world, 'status=failed')}`);
    const part = (name: RegExp) => aside(page, 'task').getByRole('tab', { name, selected: true });
    await part(/^Summary/).waitFor();
    await press(page, 'l');
    await part(/^Payload/).waitFor();
    await press(page, 'h');
    await part(/^Summary/).waitFor();
    await page.close();
    const workers = await listed(world, 'workers');
    const all = await rows(workers).count();
    await press(workers, 'j h');
    await expect.poll(() => rows(workers).count()).toBe(all - 1);
    await press(workers, 'l');
    await expect.poll(() => rows(workers).count()).toBe(all);
  },
  '`x` `Shift x`': async () => {
    for (const route of ['tasks', 'failures/tasks']) {
      const page = await listed(world, route);
      await press(page, 'j x');
      await expect.poll(() => checked(page), { message: route }).toBe(1);
      await press(page, 'j j Shift+X');
      await expect.poll(() => checked(page), { message: route }).toBe(3);
      await page.close();
    }
  },
  '`Ctrl A` `Ctrl Shift A`': async () => {
    for (const route of ['tasks', 'failures/tasks'])
      for (const keys of ['Control+a', 'Control+Shift+A']) {
        const page = await listed(world, route);
        await press(page, keys);
        await expect.poll(async () => (await checked(page)) === (await rows(page).count())).toBe(true);
        if (keys.includes('Shift'))
          await page
            .getByText(/all \d+ matching/i)
            .first()
            .waitFor();
        await page.close();
      }
  },
  '`1` … `8`, `0`': async () => {
    const page = await listed(world, 'tasks');
    const states = ['scheduled', 'pending', 'processing', 'retrying', 'completed', 'failed', 'cancelled', 'blocked'];
    for (const [n, state] of states.entries()) {
      await press(page, String(n + 1));
      await expect.poll(() => page.url()).toContain(`state%3A${state}`);
    }
    await press(page, '0');
    await expect.poll(() => page.url()).not.toContain('state');
  },
  '`Space`': async () => {
    const page = await listed(world, 'tasks');
    await press(page, 'j Space');
    await aside(page, 'task')
      .getByRole('tab', { name: /^Payload/, selected: true })
      .waitFor();
  },
});
