/** What the walks through the console have in common: a page that is live, steps that are counted, a handler to wait in. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { z } from 'zod';
import { type Operation, Operation as OperationSchema } from '#queue/contract/operation';
import type { SubmitTaskInput } from '#queue/contract/task';
import type { ConsoleWorld } from './console-world';
import { waitFor } from './millrace-process';

/** A page that has its connection: what it shows comes from the server. */
export async function livePage(world: ConsoleWorld, route = ''): Promise<Page> {
  const page = await world.page(route);
  await page.getByRole('contentinfo').getByRole('status').filter({ hasText: 'Live' }).waitFor();
  return page;
}

/** The only way for a walk to click: so it cannot be forgotten to count. */
export class Clicks {
  count = 0;

  async on(target: Locator): Promise<void> {
    this.count++;
    await target.click();
  }
}

export async function submitAll({ api }: ConsoleWorld, tasks: readonly SubmitTaskInput[]): Promise<void> {
  const response = await api.call('POST', '/api/tasks/bulk', { tasks });
  if (!response.ok) throw new Error(`bulk: ${response.status} ${await response.text()}`);
}

/** Resolves once so many tasks match this query of the list. */
export async function untilTotal({ api }: ConsoleWorld, query: string, total: number): Promise<void> {
  await waitFor(`${total} tasks of ${query}`, async () => {
    const page = z.object({ total: z.number() }).parse(await (await api.call('GET', `/api/tasks?${query}`)).json());
    return page.total === total ? page : null;
  });
}

export async function operations({ api }: ConsoleWorld): Promise<Operation[]> {
  const answer = await (await api.call('GET', '/api/operations')).json();
  return z.object({ operations: z.array(OperationSchema) }).parse(answer).operations;
}

/** Says lines, tells its progress, and waits for a file; each started task can be let go or cancelled. */
const GATED = `
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineHandler, z } from 'millrace';
export default defineHandler({
  type: 'gated',
  payload: z.object({ gate: z.string(), say: z.array(z.string()).default([]) }),
  async run({ payload, log, progress, signal }) {
    for (const line of payload.say) log.info(line);
    await progress(40, 'at the gate');
    while (!existsSync(payload.gate)) await sleep(20, undefined, { signal });
    return { passed: true };
  },
});
`;

/** A folder with the handler `gated` and the files that open its gates. */
export class Gates implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'millrace-gates-'));

  constructor() {
    writeFileSync(join(this.dir, 'gated.ts'), GATED);
  }

  path(name: string): string {
    return join(this.dir, `${name}.open`);
  }

  open(name: string): void {
    writeFileSync(this.path(name), '');
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
