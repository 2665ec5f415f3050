/** Every row of the keyboard table in docs/console.md, pressed where it is for: the table and the product cannot drift. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gates, livePage, operations, queueOf, submitAll, untilTotal } from '../support/console-steps';
import { ConsoleWorld } from '../support/console-world';
import { waitFor } from '../support/millrace-process';
import { actingCases } from './keyboard-actions';
import { movingCases } from './keyboard-moves';
import { aside, dialog, focused, listed, press } from './keyboard-place';

const gates = new Gates();
let world: ConsoleWorld;
let poolId = '';
const cases = () => ({ ...movingCases({ world, gates, poolId }), ...actingCases({ world, gates, poolId }) });
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
    expect(Object.keys(cases()).sort()).toEqual(documented().sort());
  });

  it.each(documented())('%s', async (row) => {
    try {
      await cases()[row]?.();
    } finally {
      for (const context of world.browser.contexts()) await context.close();
    }
    expect(world.takeErrors()).toEqual([]);
  });
});

it('does nothing behind a dialog or a menu, and gives the focus back when they close', async () => {
  const page = await listed(world, 'tasks');
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
