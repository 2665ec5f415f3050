import { defineScript } from '../script';
import { list, QUEUE } from './lib/pieces';
import lua from './repair.lua?raw';

export interface Repairs {
  /** Ids without a record, which are gone from everywhere. */
  removed: number;
  /** Tasks that were in no set, or in several. */
  placed: number;
  /** Running tasks without a lease. */
  leased: number;
  /** Unique keys and times of expiry. */
  keys: number;
}

/** A page of the look for damage. See repair.lua. */
export const repair = defineScript<{ limit: number; everyMs: number; restMs: number }, Repairs>({
  name: 'repair',
  lua,
  lib: QUEUE,
  args: ({ limit, everyMs, restMs }) => [limit, everyMs, restMs],
  read: (reply) => {
    const [removed = 0, placed = 0, leased = 0, keys = 0] = list(reply).map(Number);
    return { removed, placed, leased, keys };
  },
});
