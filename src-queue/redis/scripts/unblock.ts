import { defineScript } from '../script';
import type { ParentVerdict } from './depend';
import { ENDINGS } from './lib/pieces';
import lua from './unblock.lua?raw';

export interface ParentEnd {
  child: string;
  parent: string;
  verdict: Exclude<ParentVerdict, 'W'>;
  /** JSON error for the child where the parent did not complete. */
  body: string;
}

/** Children of one queue hear how their parents ended. @returns how many left `blocked`. See unblock.lua. */
export const unblock = defineScript<{ fingerprint: string; ends: readonly ParentEnd[] }, number>({
  name: 'unblock',
  lua,
  lib: ENDINGS,
  args: ({ fingerprint, ends }) => [
    fingerprint,
    ...ends.flatMap(({ child, parent, verdict, body }) => [child, parent, verdict, body]),
  ],
  read: Number,
});
