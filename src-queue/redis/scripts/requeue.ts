import type { RequeueOutcome } from '../calls';
import { defineScript } from '../script';
import { ENDINGS } from './lib/pieces';
import lua from './requeue.lua?raw';

/** `keyed`: nothing was done, since it has a unique key and `keysChecked` is not set. */
export type RequeueAnswer = RequeueOutcome | 'keyed';

const OUTCOMES: Record<string, RequeueAnswer> = {
  Q: 'requeued',
  N: 'not_final',
  L: 'not_final',
  D: 'duplicate',
  G: 'gone',
  U: 'keyed',
};

export interface RequeueInput {
  ids: readonly string[];
  payload: string | null;
  priority: number | null;
  /** No other queue holds the unique keys of these tasks. */
  keysChecked: boolean;
}

/** Failed and cancelled tasks go back to pending. See requeue.lua. */
export const requeue = defineScript<RequeueInput, RequeueAnswer[]>({
  name: 'requeue',
  lua,
  lib: ENDINGS,
  args: ({ ids, payload, priority, keysChecked }) => [
    priority === null ? '' : 10 - priority,
    payload === null ? 0 : 1,
    payload ?? '',
    keysChecked ? 1 : 0,
    ...ids,
  ],
  read: (reply, _, repeated) =>
    [...String(reply)].map((letter) => (repeated && letter === 'L' ? 'requeued' : (OUTCOMES[letter] ?? 'gone'))),
});
