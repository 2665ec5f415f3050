import type { CancelOutcome } from '../calls';
import { defineScript } from '../script';
import lua from './cancel.lua?raw';
import { ENDINGS } from './lib/pieces';

const OUTCOMES: Record<string, CancelOutcome> = { C: 'cancelled', A: 'asked', F: 'final', G: 'gone' };

/** Ends tasks that wait, asks those that run. See cancel.lua. */
export const cancel = defineScript<{ ids: readonly string[]; reason: string }, CancelOutcome[]>({
  name: 'cancel',
  lua,
  lib: ENDINGS,
  args: ({ ids, reason }) => [JSON.stringify({ reason }), ...ids],
  read: (reply) => [...String(reply)].map((letter) => OUTCOMES[letter] ?? 'gone'),
});
