import { expect, it } from 'vitest';
import { submitOne } from '../support/engine';
import { engineOfFile } from '../support/engine-of-file';

const { connected } = await engineOfFile();

const createdAt = async (id: string) => (await connected.reader.getTasks([id]))[0]?.createdAt;
const oldest = async (queue: string) => (await connected.reader.queueState(queue))?.oldestPendingAt;

for (const priorities of [
  [10, 1, 5],
  [1, 10, 5],
  [5, 1, 10],
  [7, 7],
])
  it(`finds the oldest pending task of priorities ${priorities.join(', ')}, whichever has it`, async () => {
    const queue = `q-${priorities.join('-')}`;
    const ids: string[] = [];
    for (const priority of priorities) {
      ids.push(await submitOne(connected, { queue, priority }));
      await expect.poll(() => Date.now()).toBeGreaterThan((await createdAt(ids.at(-1) ?? '')) ?? Number.NaN);
    }
    for (const id of ids) {
      expect(await oldest(queue)).toBe(await createdAt(id));
      await connected.engine.cancel([id], 'test');
    }
    expect(await oldest(queue)).toBeNull();
  });
