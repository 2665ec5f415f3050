/** Lists that are merged of many sets, of which some give nearly all and most nearly nothing. */
import { expect, it } from 'vitest';
import type { ReadFilter } from '#queue/engine/ports';
import { submitAll } from '../support/engine';
import { engineOfFile } from '../support/engine-of-file';

const { connected } = await engineOfFile();
/** More than one script merges. */
const TYPES = 230;

/** All pages of a filter. */
async function walk(filter: ReadFilter, limit: number): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await connected.reader.listTasks(filter, { limit, cursor });
    expect(page.tasks.length).toBeLessThanOrEqual(limit);
    found.push(...page.tasks.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== null && found.length <= 10_000);
  return found;
}

it('merges types and priorities of very different sizes, each task once, whatever the length of a page', async () => {
  // Long runs of one type and priority, then all types and priorities in turn.
  const specs = Array.from({ length: 2400 }, (_, index) => {
    const inRun = index % 800 < 500;
    return { type: `t${inRun ? 7 : index % TYPES}`, priority: inRun ? 3 : (index % 10) + 1, queue: 'merged' };
  });
  const ids: string[] = [];
  for (let from = 0; from < specs.length; from += 800)
    ids.push(...(await submitAll(connected, specs.slice(from, from + 800))));
  const newestFirst = [...ids].reverse();
  const filters: [ReadFilter, string[]][] = [
    [{ queue: 'merged' }, newestFirst],
    [{ status: ['pending'] }, newestFirst],
    [
      { task_type: ['t7', 't8'] },
      newestFirst.filter((id) => ['t7', 't8'].includes(specs[ids.indexOf(id)]?.type ?? '')),
    ],
  ];
  for (const limit of [9, 100, 1000])
    for (const [filter, wanted] of filters)
      expect(await walk(filter, limit), `${JSON.stringify(filter)} by ${limit}`).toEqual(wanted);
});
