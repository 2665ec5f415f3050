/** What the file of many tasks and its sending are called. Pure. */
import type { SafetyLevel } from '#queue/contract/session';
import type { FileFormat } from '../../stores/many-rows';

/** The one queue that all go to; null where they go to several. */
export function onlyQueue(queues: Readonly<Record<string, number>>): string | null {
  const names = Object.keys(queues);
  return names.length === 1 ? (names[0] ?? null) : null;
}

/** What has to be typed: the queue where the level only wants a second look, else verb, count and queue. */
export function submitWords(level: SafetyLevel, count: number, queue: string | null): string {
  if (level === 'confirm' && queue !== null) return queue;
  return `submit ${count} ${queue ?? (count === 1 ? 'task' : 'tasks')}`;
}

export const formatOf = (name: string): FileFormat | null =>
  /\.(jsonl|ndjson|json)$/i.test(name) ? 'jsonl' : /\.csv$/i.test(name) ? 'csv' : null;

/** The rejected rows as they stood in the file, so that they can be mended and sent again. */
export const rejectedText = (
  rows: readonly { readonly text: string }[],
  format: FileFormat,
  columns: readonly string[],
): string => [...(format === 'csv' ? [columns.join(',')] : []), ...rows.map(({ text }) => text), ''].join('\n');
