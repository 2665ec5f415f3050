import type { CancelOutcome } from '../calls';
import { defineScript } from '../script';
import lua from './cancel.lua?raw';
import { ENDINGS } from './lib/pieces';

const OUTCOMES: Record<string, CancelOutcome> = { C: 'cancelled', A: 'asked', F: 'final', X: 'final', G: 'gone' };

export interface CancelInput {
  ids: readonly string[];
  reason: string;
  /** Task types whose tasks have tasks of their own. */
  parentTypes: readonly string[];
}

export interface CancelAnswer {
  outcome: CancelOutcome;
  /** It may have tasks of its own, which are to end with it. */
  hasChildren: boolean;
}

/** Ends tasks that wait, asks those that run. See cancel.lua. */
export const cancel = defineScript<CancelInput, CancelAnswer[]>({
  name: 'cancel',
  lua,
  lib: ENDINGS,
  args: ({ ids, reason, parentTypes }) => [JSON.stringify({ reason }), `,${parentTypes.join(',')},`, ...ids],
  read: (reply, _, repeated) =>
    [...String(reply)].map((letter) => ({
      outcome: repeated && letter === 'X' ? 'cancelled' : (OUTCOMES[letter.toUpperCase()] ?? 'gone'),
      hasChildren: letter === 'c' || letter === 'a',
    })),
});
