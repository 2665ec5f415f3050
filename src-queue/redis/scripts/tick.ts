import { defineScript } from '../script';
import { list, WORKING } from './lib/pieces';
import lua from './tick.lua?raw';

export interface TickAnswer {
  reaped: number;
  promoted: number;
  expired: number;
  outbox: number;
  blocked: number;
  /** The queue clock moves by at most so much a call: tick at least as often. */
  capMs: number;
  parked: number;
  /** Pending, and nothing that the queue knows keeps them from being claimed. */
  ready: number;
  repairDue: boolean;
  /** Null where nothing runs. */
  nextLeaseInMs: number | null;
}

export interface TickInput {
  limit: number;
  lost: { fingerprint: string; body: string };
  expired: { fingerprint: string; body: string };
}

/** Upkeep: reap, promote, expire. See tick.lua. */
export const tick = defineScript<TickInput, TickAnswer>({
  name: 'tick',
  lua,
  lib: WORKING,
  args: ({ limit, lost, expired }) => [limit, lost.body, lost.fingerprint, expired.body, expired.fingerprint],
  read: (reply) => {
    const [reaped = 0, promoted = 0, expired = 0, outbox = 0, blocked = 0, capMs = 0, parked = 0, ready = 0, ...more] =
      list(reply).map(Number);
    const [repairDue, nextLease = -1] = more;
    const counts = { reaped, promoted, expired, outbox, blocked, capMs, parked, ready };
    return { ...counts, repairDue: repairDue === 1, nextLeaseInMs: nextLease < 0 ? null : nextLease };
  },
});
