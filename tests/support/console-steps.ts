/** What the walks through the console have in common: a page that is live, steps that are counted, a handler to wait in. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { z } from 'zod';
import { type Operation, Operation as OperationSchema } from '#queue/contract/operation';
import { Queue, StatsOverview } from '#queue/contract/queue';
import { type SubmitTaskInput, type Task, TaskPage } from '#queue/contract/task';
import { type Worker, Worker as WorkerSchema } from '#queue/contract/worker';
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
export async function untilTotal(world: ConsoleWorld, query: string, total: number): Promise<void> {
  await waitFor(`${total} tasks of ${query}`, async () => {
    const page = await list(world, query);
    return page.total === total ? page : null;
  });
}

/** What the API answers to this path, checked. */
export async function read<Schema extends z.ZodType>(
  { api }: ConsoleWorld,
  path: string,
  schema: Schema,
): Promise<z.output<Schema>> {
  return schema.parse(await (await api.call('GET', path)).json());
}

export const list = (world: ConsoleWorld, query: string): Promise<TaskPage> =>
  read(world, `/api/tasks?${query}`, TaskPage);

/** The newest of those that match. */
export async function newest(world: ConsoleWorld, query = ''): Promise<Task> {
  const [task] = (await list(world, query)).tasks;
  if (task === undefined) throw new Error(`no task of ${query}`);
  return task;
}

export const statistics = (world: ConsoleWorld): Promise<StatsOverview> =>
  read(world, '/api/tasks/stats/overview', StatsOverview);

export const queueOf = (world: ConsoleWorld, name: string): Promise<Queue> => read(world, `/api/queues/${name}`, Queue);

export const workersOf = async (world: ConsoleWorld): Promise<Worker[]> =>
  (await read(world, '/api/workers', z.object({ workers: z.array(WorkerSchema) }))).workers;

export const operations = async (world: ConsoleWorld): Promise<Operation[]> =>
  (await read(world, '/api/operations', z.object({ operations: z.array(OperationSchema) }))).operations;

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
