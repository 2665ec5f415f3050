/** The small shapes that every other schema is made of. Wire names, seconds, ISO 8601 UTC. */
import { z } from 'zod';
import { LIMITS } from './limits';

/** 26 characters of Crockford base 32: 10 of time, 12 random, 4 that name the queue (src-queue/kernel/ids). */
export const TaskId = z
  .string()
  .regex(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/, 'must be a ULID: 26 characters, upper case')
  .meta({ id: 'TaskId', description: 'ULID, sortable by time', example: '01KA9Z6Q0MB0Q3T5V7X9YABCDE' });
export type TaskId = string;

export const QueueName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/,
    'must be 1 to 64 letters, digits, "_", "." or "-", and begin with a letter or digit',
  )
  .meta({ id: 'QueueName', example: 'default' });
export type QueueName = string;

/** Stands in a worker's list for every queue that the list does not name. */
export const EVERY_QUEUE = '*';

/** A queue in a worker's list. */
export const ServedQueue = z
  .string()
  .regex(
    /^(\*|[A-Za-z0-9][A-Za-z0-9_.-]{0,63})$/,
    'must be 1 to 64 letters, digits, "_", "." or "-", and begin with a letter or digit; or "*" for every other queue',
  )
  .meta({ id: 'ServedQueue', description: 'A queue, or `*` for every queue that is not named', example: 'default' });

export const TaskType = z
  .string()
  .regex(
    /^[a-z][a-z0-9_.-]{0,63}$/,
    'must be 1 to 64 lower-case letters, digits, "_", "." or "-", and begin with a letter',
  )
  .meta({ id: 'TaskType', example: 'email' });
export type TaskType = string;

/** A task type, or with `*` at its end all that begin so. */
export const TypePattern = z
  .string()
  .regex(/^(?:[a-z][a-z0-9_.-]{0,63}|[a-z][a-z0-9_.-]{0,63}\*|\*)$/, 'must be a task type, or its beginning and "*"')
  .meta({ id: 'TypePattern', example: 'charge.*' });

export const Priority = z
  .int('must be a whole number from 1 to 10')
  .min(1, 'must be 1 to 10')
  .max(10, 'must be 1 to 10')
  .describe('1 to 10; 10 is most urgent');

/** A moment. Any offset is accepted, UTC with milliseconds is answered. */
export const Time = z.iso
  .datetime({ offset: true, message: 'must be an ISO 8601 time with a zone, such as 2026-01-31T12:00:00Z' })
  .meta({ id: 'Time', example: '2026-01-31T12:00:00.000Z' });

export const DURABILITIES = ['memory', 'fsync', 'replicated'] as const;
/** What a 2xx answer to a submit says of the task. */
export const Durability = z.enum(DURABILITIES).meta({
  id: 'Durability',
  description:
    'When a submit is answered: once Redis has the task in memory; once it is in the append-only file on the disk; once a replica has it, too. Where that does not come within 1 s, the answer is 503 with the id of the task, which is stored all the same: repeat it with its idempotency key',
});
export type Durability = z.infer<typeof Durability>;

export const Count = z.int().min(0);

/** Text without lone surrogates, which UTF-8 cannot carry. */
export const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !/\p{Surrogate}/u.test(value), 'must be well-formed Unicode');

const Key = text(LIMITS.keyLength).min(1);
export const IdempotencyKey = Key.describe('A repeat within 24 h answers with the first task and enqueues nothing');
export const UniqueKey = Key.describe('While a task with this key is not final, another one is refused');
export const Tag = text(LIMITS.tagLength).min(1);
export const Owner = text(LIMITS.ownerLength).min(1);

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Any JSON value, as it is: not walked here, `checkPayload` has looked at it already. */
export const Json = z.unknown().meta({ description: 'Any JSON value' }) as unknown as z.ZodType<JsonValue>;

export const isoTime = (ms: number): string => new Date(ms).toISOString();
export const isoTimeOrNull = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));
