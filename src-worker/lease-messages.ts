/** What the worker's main thread and its lease thread say to each other. */

import { z } from 'zod';
import { Worker } from '#queue/contract/worker';
import { LOG_LEVEL_NAMES } from '#queue/kernel/log';

const Lease = z.object({ id: z.string(), token: z.string() });

/** Everything that the thread is started with. */
export const LeaseThreadData = z.object({
  memory: z.instanceof(SharedArrayBuffer),
  leaseMs: z.number(),
  maxBlockMs: z.number(),
  workerId: z.string(),
  /** As the worker got it; the engine's connect knows its shape. */
  redis: z.unknown(),
  log: z.object({ level: z.enum(LOG_LEVEL_NAMES), format: z.enum(['json', 'pretty']) }),
});
export type LeaseThreadData = z.infer<typeof LeaseThreadData>;

export const ToLeaseThread = z.discriminatedUnion('type', [
  z.object({ type: z.literal('worker'), worker: Worker.omit({ last_heartbeat_at: true }) }),
  z.object({ type: z.literal('stop') }),
]);
export type ToLeaseThread = z.infer<typeof ToLeaseThread>;

export const FromLeaseThread = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('lost'), leases: z.array(Lease) }),
  z.object({ type: z.literal('cancel'), leases: z.array(Lease) }),
  z.object({ type: z.literal('command'), command: z.enum(['quiet', 'stop']) }),
]);
export type FromLeaseThread = z.infer<typeof FromLeaseThread>;
