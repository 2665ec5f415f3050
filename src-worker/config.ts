/** The worker's configuration: one plain object, checked once. Flags and environment are read elsewhere. */

import { z } from 'zod';
import { LIMITS } from '#queue/contract/limits';
import { ServedQueue } from '#queue/contract/primitives';
import { LOG_LEVEL_NAMES } from '#queue/kernel/log';

/** The variable in which a parent process hands the configuration to a worker process, as JSON. */
export const CONFIG_VARIABLE = 'MILLRACE_WORKER_CONFIG';

/** A queue and its share: how often it comes first, against the others. `*`: each queue that is not named. */
export const QueueWeight = z.strictObject({ name: ServedQueue, weight: z.int().min(1).max(100).default(1) });
export type QueueWeight = z.infer<typeof QueueWeight>;

const Milliseconds = (min: number, max: number) => z.number().min(min).max(max);

export const WorkerConfig = z.strictObject({
  /** As the engine's connect takes it; not looked at here. */
  redis: z.unknown(),
  queues: z
    .array(QueueWeight)
    .min(1)
    .max(100)
    .refine((queues) => new Set(queues.map(({ name }) => name)).size === queues.length, 'names a queue twice')
    .default([{ name: 'default', weight: 1 }]),
  concurrency: z.int().min(1).max(LIMITS.concurrency).default(10),
  /** How long a claim is ours without word from us; extended every quarter of it. */
  leaseMs: Milliseconds(400, 600_000).default(10_000),
  /** What running tasks get when the worker stops. */
  shutdownTimeoutMs: Milliseconds(0, 86_400_000).default(25_000),
  /** What a handler gets after its signal fired, before its slot is freed. */
  graceMs: Milliseconds(0, 60_000).default(1_000),
  /** How long a handler may compute without a pause before its lease is given up. */
  maxBlockMs: Milliseconds(1_000, 86_400_000).default(60_000),
  /** Folders, or files, of handlers. */
  handlers: z.array(z.string().min(1)).default([]),
  /** Folders that built-in types may read and write, besides the artifacts. */
  files: z.array(z.string().min(1)).default([]),
  artifactsDir: z.string().min(1),
  /** Pool that this process belongs to. */
  pool: z.string().nullable().default(null),
  /** Random where it is null. */
  workerId: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/)
    .nullable()
    .default(null),
  /** Of tasks that handlers submit. */
  taskDefaults: z
    .strictObject({
      maxRetries: z.int().min(0).max(100).default(3),
      timeoutMs: Milliseconds(100, 86_400_000).default(300_000),
    })
    .prefault({}),
  /** Settings of the built-in task types. */
  builtIns: z
    .strictObject({
      smtpUrl: z.string().nullable().default(null),
      mailFrom: z.string().default('millrace@localhost'),
      /** Where mails go without a mail server; `outbox` beside the artifacts where it is null. */
      outboxDir: z.string().min(1).nullable().default(null),
      /** Private addresses that tasks may call: all of them, or these hosts, addresses and CIDR ranges. */
      allowPrivate: z.boolean().default(false),
      allowHosts: z.array(z.string()).default([]),
      /** Never called, whatever is allowed: our own API, our own Redis. */
      refuse: z.array(z.strictObject({ host: z.string(), port: z.int() })).default([]),
      ai: z.strictObject({ url: z.string(), key: z.string().nullable(), model: z.string() }).nullable().default(null),
    })
    .prefault({}),
  version: z.string().default('0.0.0'),
  log: z
    .strictObject({
      level: z.enum(LOG_LEVEL_NAMES).default('info'),
      format: z.enum(['json', 'pretty']).default('json'),
    })
    .prefault({}),
});
export type WorkerConfig = z.infer<typeof WorkerConfig>;
export type WorkerConfigInput = z.input<typeof WorkerConfig>;

/** The environment of this process. */
export const systemEnvironment = (): Record<string, string | undefined> => process.env;

/**
 * Takes the configuration out of the environment: it holds passwords, and what handlers start inherits the environment.
 * @throws Error that says what is wrong
 */
export function takeConfig(environment: Record<string, string | undefined>): WorkerConfig {
  const text = environment[CONFIG_VARIABLE];
  if (text === undefined) throw new Error(`${CONFIG_VARIABLE} is not set: this program is started by millrace`);
  delete environment[CONFIG_VARIABLE];
  return WorkerConfig.parse(JSON.parse(text));
}
