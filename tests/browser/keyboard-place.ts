/** What the cases of the keyboard have in common: a console with something to press keys on, and ways to look at it. */
import type { Page } from '@playwright/test';
import { type Gates, livePage, newest } from '../support/console-steps';
import type { ConsoleWorld } from '../support/console-world';

export interface KeyboardPlace {
  world: ConsoleWorld;
  gates: Gates;
  poolId: string;
}

export type KeyboardCases = Readonly<Record<string, () => Promise<void>>>;

export const press = async (page: Page, keys: string) => {
  for (const key of keys.split(' ')) await page.keyboard.press(key);
};
export const aside = (page: Page, name: string) => page.getByRole('complementary', { name });
export const dialog = (page: Page) => page.getByRole('dialog');
export const rows = (page: Page) => page.getByRole('main').locator('tbody tr[aria-rowindex]');
export const checked = (page: Page) => rows(page).getByRole('checkbox', { checked: true }).count();
/** The row under the keyboard, from 0; -1 where the list has not the focus. */
export const at = (page: Page) =>
  page.evaluate(() => {
    const grid = document.activeElement;
    return Number(/\d+$/.exec(grid?.getAttribute('aria-activedescendant') ?? '-1')?.[0] ?? -1);
  });
export const idOf = async (world: ConsoleWorld, query: string) => (await newest(world, query)).id;
export const focused = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');

export async function leadsTo(page: Page, keys: string, title: string) {
  await press(page, keys);
  await page.locator('main h1', { hasText: title }).waitFor();
}

/** A page of a list that has its rows. */
export async function listed(world: ConsoleWorld, route: string): Promise<Page> {
  const page = await livePage(world, route);
  await rows(page).nth(1).waitFor();
  return page;
}

/** Screens that are a list, with the name of the panel beside it. */
export const LISTS = [
  ['tasks', 'task'],
  ['failures', 'Failure group'],
  ['failures/tasks', 'Dead letter'],
  ['workers', 'Pool'],
  ['operations', 'Operation'],
] as const;
