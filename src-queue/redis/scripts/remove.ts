import type { RemoveOutcome } from '../calls';
import { defineScript } from '../script';
import { REMOVAL } from './lib/pieces';
import lua from './remove.lua?raw';

const OUTCOMES: Record<string, RemoveOutcome> = { M: 'removed', R: 'running', G: 'gone' };

/** Deletes tasks that are not running. See remove.lua. */
export const remove = defineScript<readonly string[], RemoveOutcome[]>({
  name: 'remove',
  lua,
  lib: REMOVAL,
  args: (ids) => [...ids],
  read: (reply, _, repeated) =>
    [...String(reply)].map((letter) => (repeated && letter === 'G' ? 'removed' : (OUTCOMES[letter] ?? 'gone'))),
});
