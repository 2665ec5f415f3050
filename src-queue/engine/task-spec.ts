/** From the wire to the engine: seconds and ISO times become ms, defaults are applied, the payload becomes text. */
import { createHash } from 'node:crypto';
import { QueueError } from '../contract/errors';
import { LIMITS } from '../contract/limits';
import { DEFAULT_BACKOFF, type SubmitTask } from '../contract/task';
import type { TaskSpec } from './ports';

export interface TaskDefaults {
  maxRetries: number;
  timeoutMs: number;
}

export const toMs = (seconds: number): number => Math.round(seconds * 1000);
const timeMs = (time: string | null | undefined): number | null => (time ? Date.parse(time) : null);

/**
 * JSON text of a payload.
 * @throws {QueueError} BODY_TOO_LARGE above 256 KiB of UTF-8
 */
export function payloadText(payload: unknown): string {
  const text = JSON.stringify(payload);
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.payloadBytes) {
    const message = `is ${bytes} bytes as JSON; at most ${LIMITS.payloadBytes} are allowed`;
    throw new QueueError('BODY_TOO_LARGE', `payload ${message}`, { fields: [{ path: 'payload', message }] });
  }
  return text;
}

/** @throws {QueueError} BODY_TOO_LARGE for a payload above the limit */
export function toTaskSpec(input: SubmitTask, defaults: TaskDefaults): TaskSpec {
  const backoff = input.backoff ?? DEFAULT_BACKOFF;
  const idempotencyKey = input.idempotency_key ?? null;
  return {
    type: input.task_type,
    queue: input.queue,
    priority: input.priority,
    payload: payloadText(input.payload),
    name: input.name || null, // an empty label is none: it could not be told from one that is absent
    maxRetries: input.max_retries ?? defaults.maxRetries,
    timeoutMs: input.timeout === undefined ? defaults.timeoutMs : toMs(input.timeout),
    backoff: {
      type: backoff.type,
      baseMs: toMs(backoff.base),
      maxMs: toMs(backoff.max),
      jitter: backoff.jitter,
    },
    runAt: timeMs(input.run_at),
    expiresAt: timeMs(input.expires_at),
    dependsOn: input.depends_on ?? [],
    tags: input.tags ?? [],
    owner: input.owner ?? null,
    idempotencyKey,
    bodyHash: idempotencyKey === null ? null : bodyHash(input),
    durability: input.durability ?? null,
    uniqueKey: input.unique_key ?? null,
  };
}

/** Hash of a request as it was understood: order of keys, white space and defaults do not matter, nor what the answer waits for. */
function bodyHash({ durability: _, ...task }: SubmitTask): string {
  return createHash('sha256').update(canonical(task)).digest('hex').slice(0, 32);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, child]) => child !== undefined && child !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, child]) => `${JSON.stringify(key)}:${canonical(child)}`).join(',')}}`;
}
