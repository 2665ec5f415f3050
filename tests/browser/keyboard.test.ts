/** Every row of the keyboard table in docs/console.md, pressed where it is for: the table and the product cannot drift. */
import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gates, list, livePage, newest, operations, queueOf, submitAll, untilTotal } from '../support/console-steps';
import { ConsoleWorld } from '../support/console-world';
import { waitFor } from '../support/millrace-process';

const gates = new Gates();
let world: ConsoleWorld;
let poolId = '';
beforeAll(async () => {
  world = await ConsoleWorld.start({ args: ['--workers', '1', '--handlers', gates.dir] });
  const ill = { max_retries: 0, payload: { url: 'http://127.0.0.1:9/' } };
  await submitAll(world, [
    ...['One', 'Two', 'Three'].map((name) => ({ task_type: 'api_call', name, ...ill })),
    { task_type: 'gated', max_retries: 0, payload: {} },
    ...Array.from({ length: 3 }, () => ({ task_type: 'nobody.serves.it', queue: 'orders', payload: { kept: true } })),
    { task_type: 'gated', payload: { gate: gates.path('shut'), say: ['a line'] } },
  ]);
  await untilTotal(world, 'status=failed', 4);
  await untilTotal(world, 'status=processing', 1);
  poolId = (await world.api.pools())[0]?.id ?? '';
  for (const priority of [4, 6]) {
    const filter = { queue: 'orders' };
    await world.api.call('POST', '/api/operations', {
      action: 'reprioritise',
      filter,
      priority,
      expected_count: 3,
    });
  }
  await waitFor('two operations', async () => ((await operations(world)).length === 2 ? true : null));
});
afterAll(async () => {
  await world?.stop();
  gates[Symbol.dispose]();
});

const press = async (page: Page, keys: string) => {
  for (const key of keys.split(' ')) await page.keyboard.press(key);
};
const aside = (page: Page, name: string) => page.getByRole('complementary', { name });
const dialog = (page: Page) => page.getByRole('dialog');
const rows = (page: Page) => page.getByRole('main').locator('tbody tr[aria-rowindex]');
const checked = (page: Page) => rows(page).getByRole('checkbox', { checked: true }).count();
/** The row under the keyboard, from 0; -1 where the list has not the focus. */
const at = (page: Page) =>
  page.evaluate(() => {
    const grid = document.activeElement;
    return Number(/\d+$/.exec(grid?.getAttribute('aria-activedescendant') ?? '-1')?.[0] ?? -1);
  });
const idOf = async (query: string) => (await newest(world, query)).id;
const focused = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');

async function leadsTo(page: Page, keys: string, title: string) {
  await press(page, keys);
  await page.locator('main h1', { hasText: title }).waitFor();
}

/** A page of a list that has its rows. */
async function listed(route: string): Promise<Page> {
  const page = await livePage(world, route);
  await rows(page).nth(1).waitFor();
  return page;
}

const LISTS = [
  ['tasks', 'task'],
  ['failures', 'Failure group'],
  ['failures/tasks', 'Dead letter'],
  ['workers', 'Pool'],
  ['operations', 'Operation'],
] as const;

const CASES: Readonly<Record<string, () => Promise<void>>> = {
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
      const page = await listed(route);
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
    await page.goto(`${world.base}/#/tasks/${await idOf('status=failed')}`);
    await page
      .getByRole('link', { name: /Tasks|Back/ })
      .first()
      .waitFor();
    await press(page, 'Escape');
    await page.getByRole('grid', { name: 'Tasks' }).waitFor();
  },
  '`j` `k`': async () => {
    for (const route of [...LISTS.map(([each]) => each), 'queues', 'audit']) {
      const page = await listed(route);
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
        const page = await listed(route);
        await press(page, `j ${key}`);
        await aside(page, label).waitFor();
        await page.close();
      }
    const page = await listed('queues');
    await press(page, 'j o');
    await page.getByRole('region', { name: /^Queue / }).waitFor();
  },
  '`Shift Enter`': async () => {
    const page = await listed('tasks');
    await press(page, 'j o');
    await aside(page, 'task').waitFor();
    await aside(page, 'task').getByRole('heading').first().click();
    await press(page, 'Shift+Enter');
    await expect.poll(() => page.url()).toMatch(/#\/tasks\/[0-9A-Z]{26}$/);
  },
  '`h` `l`': async () => {
    const page = await livePage(world, `tasks?id=${await idOf('status=failed')}`);
    const part = (name: RegExp) => aside(page, 'task').getByRole('tab', { name, selected: true });
    await part(/^Summary/).waitFor();
    await press(page, 'l');
    await part(/^Payload/).waitFor();
    await press(page, 'h');
    await part(/^Summary/).waitFor();
    await page.close();
    const workers = await listed('workers');
    const all = await rows(workers).count();
    await press(workers, 'j h');
    await expect.poll(() => rows(workers).count()).toBe(all - 1);
    await press(workers, 'l');
    await expect.poll(() => rows(workers).count()).toBe(all);
  },
  '`x` `Shift x`': async () => {
    for (const route of ['tasks', 'failures/tasks']) {
      const page = await listed(route);
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
        const page = await listed(route);
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
    const page = await listed('tasks');
    const states = ['scheduled', 'pending', 'processing', 'retrying', 'completed', 'failed', 'cancelled', 'blocked'];
    for (const [n, state] of states.entries()) {
      await press(page, String(n + 1));
      await expect.poll(() => page.url()).toContain(`state%3A${state}`);
    }
    await press(page, '0');
    await expect.poll(() => page.url()).not.toContain('state');
  },
  '`Space`': async () => {
    const page = await listed('tasks');
    await press(page, 'j Space');
    await aside(page, 'task')
      .getByRole('tab', { name: /^Payload/, selected: true })
      .waitFor();
  },
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
      const page = await listed(route);
      await press(page, keys);
      await dialog(page).getByRole('button', { name: 'Cancel' }).waitFor();
      await page.close();
    }
  },
  '`Shift R`': async () => {
    for (const route of ['tasks', 'failures/tasks']) {
      const page = await listed(route);
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
    const id = await idOf('status=failed');
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
    const id = await idOf('status=failed');
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
    const page = await listed('failures');
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
    await press(page, 'p');
    await expect.poll(async () => (await queueOf(world, 'orders')).paused).toBe(false);
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
    const page = await livePage(world, `tasks?id=${await idOf('status=processing')}`);
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
    const page = await listed('tasks');
    await press(page, 'Control+.');
    await page.getByRole('button', { name: /^Resume live/, pressed: true }).waitFor();
    await press(page, 'Control+.');
    await page.getByRole('button', { name: /^Pause live/, pressed: false }).waitFor();
  },
  '`y i` `y l` `y j` `y c`': async () => {
    const id = await idOf('status=failed');
    for (const [route, label, copies] of [
      [`tasks?id=${id}`, 'task', { 'y i': id, 'y l': `#/tasks/${id}`, 'y j': `"${id}"`, 'y c': 'curl -X POST' }],
      [`failures/tasks?id=${id}`, 'Dead letter', { 'y i': id, 'y l': `#/tasks/${id}` }],
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
      const page = await listed(route);
      const saved = page.waitForEvent('download');
      await press(page, 'Control+e');
      expect((await saved).suggestedFilename(), route).toMatch(/\.jsonl$/);
      await page.close();
    }
  },
  '`t`': async () => {
    const page = await listed('tasks');
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
    const page = await livePage(world, `tasks?id=${await idOf('status=failed')}`);
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
    const page = await livePage(world, `tasks?id=${await idOf('status=failed')}`);
    await aside(page, 'task').getByRole('button').nth(2).waitFor();
    await press(page, 'e');
    await dialog(page).getByRole('textbox').first().waitFor();
    const answer = page.waitForResponse((each) => each.url().endsWith('/retry'));
    await press(page, 'Control+Enter');
    expect((await answer).status()).toBe(200);
    await untilTotal(world, 'status=failed', 4);
  },
};

/** Of the table under "Keyboard": two pairs of keys and meaning in a row. */
function documented(): string[] {
  const section = readFileSync('docs/console.md', 'utf8')
    .split(/^## /m)
    .find((each) => each.startsWith('Keyboard'));
  return (section ?? '')
    .split('\n')
    .filter((line) => /^\| *`/.test(line))
    .flatMap((line) => {
      const cells = line.split('|').map((cell) => cell.trim());
      return [cells[1] ?? '', cells[3] ?? ''].filter((keys) => keys !== '');
    });
}

describe('the keyboard, as docs/console.md tells it', () => {
  it('has a case for every row, and no other', () => {
    expect(Object.keys(CASES).sort()).toEqual(documented().sort());
  });

  it.each(Object.entries(CASES))('%s', async (_, run) => {
    try {
      await run();
    } finally {
      for (const context of world.browser.contexts()) await context.close();
    }
    expect(world.takeErrors()).toEqual([]);
  });
});

it('does nothing behind a dialog or a menu, and gives the focus back when they close', async () => {
  const page = await listed('tasks');
  await press(page, 'j o');
  await aside(page, 'task').getByRole('button').nth(2).waitFor();
  const more = aside(page, 'task').getByRole('button', { name: 'More to do with this task' });
  await more.focus();
  await press(page, 'Enter');
  await page.getByRole('menu').waitFor();
  await press(page, 'g q');
  await press(page, 'Escape');
  await page.getByRole('menu').waitFor({ state: 'detached' });
  expect(await focused(page)).toBe('More to do with this task');
  expect(await aside(page, 'task').isVisible()).toBe(true);
  expect(page.url()).toContain('#/tasks');
  await press(page, 'Control+k');
  await press(page, 'Control+,');
  await press(page, 'Escape');
  await dialog(page).waitFor({ state: 'detached' });
  expect(await focused(page)).toBe('More to do with this task');
  expect(page.url()).toContain('#/tasks');
  await page.close();
});

it('reaches by the palette what is on other screens: a queue, a pool, a group; and leads into a field', async () => {
  const page = await livePage(world, 'tasks');
  const run = async (words: string, name: RegExp) => {
    await press(page, 'Control+k');
    await page.getByRole('combobox', { name: 'Command, screen or task id' }).fill(words);
    await page.getByRole('option', { name }).first().click();
  };
  await run('pause orders', /^Pause orders/);
  await expect.poll(async () => (await queueOf(world, 'orders')).paused).toBe(true);
  await run('resume orders', /^Resume orders/);
  await expect.poll(async () => (await queueOf(world, 'orders')).paused).toBe(false);
  const [pool] = await world.api.pools();
  await run('one process more', /^One process more/);
  await expect.poll(async () => (await world.api.pools())[0]?.processes).toBe((pool?.processes ?? 0) + 1);
  await run('dense', /^Use dense rows/);
  expect(await page.locator('html').getAttribute('data-density')).toBe('dense');
  await run('search tasks', /^Search tasks/);
  await expect.poll(() => focused(page)).toBe('Query');
  await run('failure group', /^Failure group/);
  await aside(page, 'Failure group').waitFor();
  await page.close();
});
