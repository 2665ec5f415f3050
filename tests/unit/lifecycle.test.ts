import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isFinal, TASK_STATUSES, TRANSITIONS } from '#queue/contract/lifecycle';
import { renderLifecycle } from '#queue/contract/lifecycle-docs';

it('docs/state-machine.md is what the table says', async () => {
  await expect(renderLifecycle()).toMatchFileSnapshot(join(import.meta.dirname, '../../docs/state-machine.md'));
});

it('leaves a final status only by a requeue or by removal', () => {
  const moves = TRANSITIONS.filter(({ from }) => from !== 'none' && isFinal(from)).map(({ event }) => event);
  expect(new Set(moves)).toEqual(new Set(['requeued', 'removed']));
});

it('can reach every status, and has a way out of each', () => {
  for (const status of TASK_STATUSES) {
    expect(TRANSITIONS.some(({ to }) => to === status)).toBe(true);
    expect(TRANSITIONS.some(({ from }) => from === status)).toBe(true);
  }
});
