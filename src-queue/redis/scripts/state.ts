import { Durability } from '../../contract/primitives';
import type { StatusCounts } from '../../contract/queue';
import type { QueueLimitsMs } from '../calls';
import { defineScript } from '../script';
import { list, READING } from './lib/pieces';
import lua from './state.lua?raw';

export interface StateAnswer {
  now: number;
  counts: StatusCounts;
  oldestPendingAt: number | null;
  paused: boolean;
  limits: QueueLimitsMs;
  rateLimitedForMs: number;
  position: number | null;
  bytes: number;
  exists: boolean;
}

const optional = (value: unknown): number | null => (value === '' ? null : Number(value));

/** Counts, limits and clock of a queue. See state.lua. */
export const state = defineScript<{ id: string | null }, StateAnswer>({
  name: 'state',
  lua,
  lib: READING,
  args: ({ id }) => [id ?? ''],
  read: (reply) => {
    const values = list(reply);
    const [now, scheduled, blocked, pending, processing, retrying, completed, failed, cancelled, oldest] =
      values.map(Number);
    const [paused, concurrency, rateMax, ratePer, targetAge, open, place, bytes, exists, aging, level, shards] =
      values.slice(10);
    const max = optional(rateMax);
    const perMs = optional(ratePer);
    return {
      now: now ?? 0,
      counts: {
        scheduled: scheduled ?? 0,
        blocked: blocked ?? 0,
        pending: pending ?? 0,
        processing: processing ?? 0,
        retrying: retrying ?? 0,
        completed: completed ?? 0,
        failed: failed ?? 0,
        cancelled: cancelled ?? 0,
      },
      oldestPendingAt: oldest === undefined || oldest < 0 ? null : oldest,
      paused: paused === '1',
      limits: {
        concurrency: optional(concurrency),
        rate: max === null || perMs === null ? null : { max, perMs },
        targetAgeMs: optional(targetAge),
        agingMs: optional(aging),
        durability: Durability.safeParse(level).data ?? null,
        shards: optional(shards) ?? 1,
      },
      rateLimitedForMs: Number(open),
      position: Number(place) < 0 ? null : Number(place),
      bytes: Number(bytes),
      exists: Number(exists) === 1,
    };
  },
});
