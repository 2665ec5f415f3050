/**
 * Whom a console talks to, and how careful it has to be there: which Redis, under which name, what the caller may do,
 * and whether writing is refused at the moment. The API holds to it, whatever a window shows.
 */
import { z } from 'zod';
import { Role } from './http';
import { LIMITS } from './limits';
import { Count, Time, text } from './primitives';

export const ENVIRONMENTS = ['local', 'dev', 'staging', 'production'] as const;
export const Environment = z.enum(ENVIRONMENTS);
export type Environment = z.infer<typeof Environment>;

export const SAFETY_LEVELS = ['open', 'confirm', 'guarded', 'read_only'] as const;
export const SafetyLevel = z.enum(SAFETY_LEVELS).meta({
  id: 'SafetyLevel',
  description:
    '`open` and `confirm`: the API refuses nothing, with `confirm` a console asks first. `guarded`: what works on a selection of tasks needs `expected_count`. `read_only`: every writing call is refused until it is unlocked, and then as `guarded`.',
});
export type SafetyLevel = z.infer<typeof SafetyLevel>;

export const SafetyState = z
  .object({
    level: SafetyLevel,
    unlocked_until: Time.nullable().describe('Null while nothing is unlocked; it locks by itself then'),
    unlocked_by: z.string().nullable(),
    locked: z.boolean().describe('Writing calls are refused now'),
  })
  .meta({ id: 'SafetyState' });
export type SafetyState = z.infer<typeof SafetyState>;

export const ConnectionProfile = z
  .object({
    name: z.string().nullable().describe('As configured; null where it has no name'),
    environment: Environment.nullable().describe('Null where nobody has said: then take it for production'),
    topology: z.enum(['standalone', 'sentinel', 'cluster']),
    tls: z.boolean(),
    redis: z.string().describe('`host:port`, several with commas; no user and no password'),
    database: Count,
    owned: z.boolean().describe('A local Redis that Millrace started'),
    prefix: z.string().describe('What every key begins with'),
  })
  .meta({ id: 'ConnectionProfile' });
export type ConnectionProfile = z.infer<typeof ConnectionProfile>;

export const SessionInfo = z
  .object({
    profile: ConnectionProfile,
    actor: z.object({
      name: z.string().describe('As the audit names the caller; `local` where no token is needed'),
      role: Role,
    }),
    safety: SafetyState,
    capabilities: z
      .array(z.string())
      .describe('Names (`operationId`) of the writing routes that this caller may use now: role and lock counted'),
    version: z.string(),
    store_refusal: z
      .string()
      .nullable()
      .describe('Why this version leaves what lies in Redis alone: its layout is another one. Null: it does not'),
    now: Time.describe("This process' clock"),
    redis_time_offset_ms: z
      .number()
      .nullable()
      .describe("Redis' clock minus that of this process; null while Redis does not answer"),
  })
  .meta({ id: 'SessionInfo' });
export type SessionInfo = z.infer<typeof SessionInfo>;

export const UnlockSession = z
  .strictObject({
    reason: text(LIMITS.reasonLength).trim().min(3).describe('Goes into the audit'),
    minutes: z.int().min(1).max(LIMITS.unlockMinutes).default(15),
  })
  .meta({ id: 'UnlockSession' });

/** What the status bar shows of Redis. */
export const SystemState = z
  .object({
    redis: z
      .object({
        up: z.boolean(),
        latency_ms: z.number().nullable().describe('Round trip of a PING from this process; in a cluster, the slowest'),
        memory_bytes: Count.nullable().describe('Used; in a cluster, of all masters'),
        max_memory_bytes: Count.nullable().describe('Null where there is no limit, or it is not known'),
        clients: Count.nullable().describe('Connections'),
        eviction_policy: z
          .string()
          .nullable()
          .describe('What Redis does when its memory is full: anything but `noeviction` deletes tasks or keys'),
        clock_offset_ms: z.number().nullable().describe("Redis' clock minus that of this process"),
      })
      .describe('All null while Redis does not answer; memory, policy and connections also where its user may not ask'),
    at: Time.describe('When it was measured'),
  })
  .meta({ id: 'SystemState' });
export type SystemState = z.infer<typeof SystemState>;
