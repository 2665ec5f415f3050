/** What is typed into the submit form as the request that it means. What is no number or no time stays wrong: the schema names it. Pure. */
import type { SubmitTaskInput } from '#queue/contract/task';
import { parseDuration } from '../query/moments';
import { isObject } from './json-schema';
import type { SubmitText } from './submit-form.svelte';

export type Start = 'now' | 'in' | 'at';

export function requestOf(text: SubmitText, tags: readonly string[], payload: unknown, nowMs: number): SubmitTaskInput {
  const dependsOn = text.dependsOn.split(/[\s,]+/).filter((id) => id !== '');
  const runAt = startOf(text, nowMs);
  return {
    task_type: text.type.trim(),
    queue: text.queue.trim(),
    priority: toNumber(text.priority),
    ...(text.name.trim() === '' ? {} : { name: text.name.trim() }),
    ...(text.maxRetries.trim() === '' ? {} : { max_retries: toNumber(text.maxRetries) }),
    ...(text.timeout.trim() === '' ? {} : { timeout: toNumber(text.timeout) }),
    ...(text.backoffType === '' ? {} : { backoff: backoffOf(text, text.backoffType) }),
    ...(runAt === null ? {} : { run_at: runAt }),
    ...(text.expiresAt === '' ? {} : { expires_at: timeOf(text.expiresAt) }),
    ...(dependsOn.length === 0 ? {} : { depends_on: dependsOn }),
    ...(tags.length === 0 ? {} : { tags: [...tags] }),
    ...(text.uniqueKey.trim() === '' ? {} : { unique_key: text.uniqueKey.trim() }),
    ...(text.idempotencyKey.trim() === '' ? {} : { idempotency_key: text.idempotencyKey.trim() }),
    ...(text.durability === '' ? {} : { durability: text.durability }),
    payload: isObject(payload) ? (payload as SubmitTaskInput['payload'] & object) : {},
  };
}

/** `90`, `90s`, `5m`, `2h`; null where it is none. */
export function delayMsOf(text: string): number | null {
  const trimmed = text.trim();
  return parseDuration(/^\d+(\.\d+)?$/.test(trimmed) ? `${trimmed}s` : trimmed);
}

function startOf({ start, delay, startAt }: SubmitText, nowMs: number): string | null {
  if (start === 'now') return null;
  if (start === 'at') return timeOf(startAt);
  const ms = delayMsOf(delay);
  return ms === null ? '' : new Date(nowMs + ms).toISOString();
}

/** The clock of this computer, as the field gives it, with its zone. */
function timeOf(local: string): string {
  const at = Date.parse(local);
  return Number.isNaN(at) ? '' : new Date(at).toISOString();
}

const backoffOf = (text: SubmitText, type: 'exponential' | 'fixed') => ({
  type,
  ...(text.backoffBase.trim() === '' ? {} : { base: toNumber(text.backoffBase) }),
  ...(text.backoffMax.trim() === '' || type === 'fixed' ? {} : { max: toNumber(text.backoffMax) }),
});

/** Something is filled in that is seldom wanted. */
export const moreOptions = (text: SubmitText): boolean =>
  [text.backoffType, text.idempotencyKey, text.expiresAt, text.dependsOn, text.durability].some((each) => each !== '');

/** NaN for what is no number, which the schema then names. */
const toNumber = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));
