import type { ReadFilter, StoredTask } from './ports';

/** Case and nothing else is ignored. */
export const searchText = (text: string): string => text.toLowerCase();

/** Whether a task is one that the filter asks for; `q` looks into id, name and payload. */
export function matches(task: StoredTask, filter: ReadFilter): boolean {
  if (filter.status && filter.status.length > 0 && !filter.status.includes(task.status)) return false;
  if (filter.queue !== undefined && task.queue !== filter.queue) return false;
  if (filter.task_type !== undefined && task.type !== filter.task_type) return false;
  if (filter.tag !== undefined && !task.tags.includes(filter.tag)) return false;
  if (filter.owner !== undefined && task.owner !== filter.owner) return false;
  if (filter.since !== undefined && task.createdAt < filter.since) return false;
  if (filter.until !== undefined && task.createdAt >= filter.until) return false;
  if (filter.error !== undefined && !hasError(task, filter.error)) return false;
  return filter.q === undefined || hasText(task, filter.q);
}

function hasError(task: StoredTask, wanted: string): boolean {
  if (task.status !== 'failed' || task.error === null) return false;
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
