/** The page of the desktop that shows no queue yet, in both themes: names, roles, contrast, and room for its parts. */
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DiagnoseStep, Profile } from '#main/bridge/profiles-contract';
import { ConsoleWorld } from '../support/console-world';
import { giveBridge, profileOf } from '../support/start-page';

const PROFILES: Profile[] = [
  profileOf('eu', {
    name: 'eu-orders',
    environment: 'production',
    kind: 'sentinel',
    master: 'orders',
    username: 'millrace',
    usesPassword: true,
    passwordRef: 'eu',
    nodes: ['a', 'b', 'c'].map((name) => ({ host: `sentinel-${name}.orrery.internal`, port: 26_379 })),
    tls: { on: true, caFile: '', certFile: '', keyFile: '', servername: '', rejectUnauthorized: true },
    lastCheck: { at: Date.now() - 240_000, reached: true },
  }),
  profileOf('stg', {
    name: 'eu-orders-stg',
    environment: 'staging',
    host: 'redis.stg.orrery.internal',
    port: 6380,
    lastCheck: { at: Date.now() - 7_200_000, reached: false },
  }),
  profileOf('dev', { name: 'compose', environment: 'dev', host: '127.0.0.1' }),
  profileOf('far', { name: 'a host that nobody has labelled', host: 'redis.example.com' }),
  profileOf('loc', { name: 'laptop', environment: 'local', kind: 'local' }),
];

const stepOf = (key: string, state: DiagnoseStep['state'], more: Partial<DiagnoseStep> = {}): DiagnoseStep => ({
  key,
  title: key,
  address: 'sentinel-a.orrery.internal:26379',
  state,
  ms: state === 'waiting' || state === 'running' ? null : 11,
  detail: '',
  cure: null,
  ...more,
});
const STEPS = [
  stepOf('Name', 'ok'),
  stepOf('TCP', 'fail', { detail: 'connect ECONNREFUSED', cure: 'Check the port.' }),
  stepOf('Tunnel', 'skipped'),
  stepOf('TLS', 'warn', { detail: 'The certificate ends in 23 days.', cure: 'Renew it.' }),
  stepOf('Sign in', 'running'),
  stepOf('Rights', 'waiting'),
];

let world: ConsoleWorld;
beforeAll(async () => {
  world = await ConsoleWorld.start();
});
afterAll(() => world?.stop());

/** What axe objects to on what is shown, and what does not fit the window. */
async function objections(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const wide = await page.evaluate(() =>
    [...document.querySelectorAll('main, main *')].flatMap((each) =>
      each.getBoundingClientRect().right > innerWidth + 1 ? [`out of sight: ${each.outerHTML.slice(0, 120)}`] : [],
    ),
  );
  return [
    ...violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`),
    ...wide,
  ];
}

async function startPage(theme: 'light' | 'dark', profiles: Profile[], width: number): Promise<Page> {
  const page = await world.page('', { theme, width });
  await giveBridge(page, { profiles, demo: false }, STEPS);
  await page.reload();
  await page.getByText('Secrets: system keychain').waitFor();
  return page;
}

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  it.each([1024, 1440])('offers a first run that axe finds nothing to object to, at %i px', async (width) => {
    const page = await startPage(theme, [], width);
    await page.getByRole('heading', { name: 'Connect to a queue' }).waitFor();
    expect(await objections(page)).toEqual([]);
    await page.getByRole('button', { name: /^Start the local queue/ }).click();
    await page.getByRole('alert').waitFor();
    expect(await objections(page)).toEqual([]);
    expect(world.takeErrors()).toEqual([]);
    await page.context().close();
  });

  it.each([theme === 'light' ? 1440 : 1024])(
    'shows profiles, every tab, and a diagnose that it finds nothing to object to, at %i px',
    async (width) => {
      const page = await startPage(theme, PROFILES, width);
      await page.getByRole('option').nth(4).waitFor();
      const tabs = page.getByRole('tab');
      expect(await tabs.count()).toBeGreaterThan(3);
      for (const tab of await tabs.all()) {
        await tab.click();
        expect(await objections(page), (await tab.textContent()) ?? '').toEqual([]);
      }
      await page.getByRole('button', { name: 'Diagnose' }).click();
      await page.getByRole('region', { name: 'Diagnose' }).getByText('Rights').waitFor();
      expect(await objections(page)).toEqual([]);
      for (const option of await page.getByRole('option').all()) {
        await option.click();
        expect(await objections(page), (await option.textContent()) ?? '').toEqual([]);
      }
      await page.getByRole('option').first().click();
      await page.getByRole('button', { name: 'Connect', exact: true }).click();
      await page.getByText('ECONNREFUSED 10.4.2.11').waitFor();
      expect(await objections(page)).toEqual([]);
      expect(world.takeErrors()).toEqual([]);
      await page.context().close();
    },
  );
});
