/** Whether a task is one that a filter asks for: for whatever no index answers. */
import type { JsonValue } from '../contract/primitives';
import type { ReadFilter, StoredTask } from './ports';

/** Case and nothing else is ignored. */
export const searchText = (text: string): string => text.toLowerCase();

/** Exactly, or with `*` at the end: whatever begins so. */
export const fits = (value: string, pattern: string): boolean =>
  pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern;

export const listOf = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T]);

/** `q` looks into id, name and payload. `now` is Unix ms. */
export function matches(task: StoredTask, filter: ReadFilter, now: number): boolean {
  const { status, queue, task_type, tag, owner, since, until, error, q } = filter;
  if (status && status.length > 0 && !status.includes(task.status)) return false;
  if (queue !== undefined && !listOf(queue).includes(task.queue)) return false;
  if (task_type !== undefined && !listOf(task_type).some((pattern) => fits(task.type, pattern))) return false;
  if (tag !== undefined && !task.tags.includes(tag)) return false;
  if (owner !== undefined && task.owner !== owner) return false;
  if (since !== undefined && task.createdAt < since) return false;
  if (until !== undefined && task.createdAt >= until) return false;
  return (
    fitsRun(task, filter, now) &&
    (error === undefined || hasError(task, error)) &&
    (q === undefined || hasText(task, q)) &&
    (filter.payload === undefined || hasValues(task, filter.payload))
  );
}

function fitsRun(task: StoredTask, { worker, attempts_min, run_min, priority }: ReadFilter, now: number): boolean {
  if (worker !== undefined && (task.workerId === null || !fits(task.workerId, worker))) return false;
  if (attempts_min !== undefined && task.attempts < attempts_min) return false;
  if (priority !== undefined && !listOf(priority).includes(task.priority)) return false;
  if (run_min === undefined) return true;
  return task.startedAt !== null && (task.endedAt ?? now) - task.startedAt >= run_min * 1000;
}

function hasError(task: StoredTask, wanted: string): boolean {
  if (task.error === null) return false;
  const { fingerprint, name, message } = task.error;
  return fingerprint === wanted || searchText(`${name}: ${message}`).includes(searchText(wanted));
}

function hasText(task: StoredTask, wanted: string): boolean {
  const text = searchText(wanted);
  if (task.id === wanted || (task.name !== null && searchText(task.name).includes(text))) return true;
  if (task.payload === null) return false;
  // In the payload's JSON, quotes and the like are escaped: look for the text as JSON would write it, too.
  const payload = searchText(task.payload);
  return payload.includes(text) || payload.includes(searchText(JSON.stringify(wanted).slice(1, -1)));
}

function hasValues({ payload }: StoredTask, wanted: readonly string[]): boolean {
  if (payload === null) return false;
  const root: JsonValue = JSON.parse(payload);
  return wanted.every((entry) => {
    const colon = entry.indexOf(':');
    return isValue(valueAt(root, entry.slice(0, colon)), entry.slice(colon + 1));
  });
}

function valueAt(root: JsonValue, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = root;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.hasOwn(value, key) ? (value as Record<string, JsonValue>)[key] : undefined;
  }
  return value;
}

/** Numbers by value, so `1.50` finds 1.5; objects and lists equal nothing. */
function isValue(value: JsonValue | undefined, text: string): boolean {
  if (typeof value === 'string') return value === text || JSON.stringify(value) === text;
  if (typeof value === 'number') return text.trim() !== '' && Number(text) === value;
  return (typeof value === 'boolean' || value === null) && String(value) === text;
}
