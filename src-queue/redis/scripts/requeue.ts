import type { RequeueOutcome } from '../calls';
import { defineScript } from '../script';
import { ENDINGS } from './lib/pieces';
import lua from './requeue.lua?raw';

const OUTCOMES: Record<string, RequeueOutcome> = { Q: 'requeued', N: 'not_final', D: 'duplicate', G: 'gone' };

export interface RequeueInput {
  ids: readonly string[];
  payload: string | null;
  priority: number | null;
}

/** Failed and cancelled tasks go back to pending. See requeue.lua. */
export const requeue = defineScript<RequeueInput, RequeueOutcome[]>({
  name: 'requeue',
  lua,
  lib: ENDINGS,
  args: ({ ids, payload, priority }) => [
    priority === null ? '' : 10 - priority,
    payload === null ? 0 : 1,
    payload ?? '',
    ...ids,
  ],
  read: (reply) => [...String(reply)].map((letter) => OUTCOMES[letter] ?? 'gone'),
});
