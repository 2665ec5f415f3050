import { defineScript } from '../script';
import { REMOVAL } from './lib/pieces';
import lua from './prune.lua?raw';

/** Caps of what a queue keeps; an age of 0 keeps whatever its age, bytes of 0 are no cap. */
export interface Retention {
  count: { completed: number; failed: number; cancelled: number };
  ageMs: { completed: number; failed: number; cancelled: number };
  bytes: number;
}

/** Retention. @returns tasks removed. See prune.lua. */
export const prune = defineScript<{ limit: number; retention: Retention }, number>({
  name: 'prune',
  lua,
  lib: REMOVAL,
  args: ({ limit, retention: { count, ageMs, bytes } }) => [
    limit,
    count.completed,
    count.failed,
    count.cancelled,
    ageMs.completed,
    ageMs.failed,
    ageMs.cancelled,
    bytes,
  ],
  read: Number,
});
