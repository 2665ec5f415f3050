/** Which part of a task is shown, and how its log is read: kept while one goes from task to task. */

import { attemptsOf } from '../../stores/task-attempts';
import type { TaskDetail } from '../../stores/task-detail-store.svelte';

export const TASK_TABS = ['summary', 'payload', 'attempts', 'logs', 'events', 'related'] as const;
export type TaskTab = (typeof TASK_TABS)[number];

export class TaskTabs {
  shown = $state<TaskTab>('summary');
  /** Null for all executions. */
  logAttempt = $state<number | null>(null);
  /** The log stays at its end. */
  following = $state(true);

  turn(by: number): void {
    const count = TASK_TABS.length;
    this.shown = TASK_TABS[(TASK_TABS.indexOf(this.shown) + by + count) % count] ?? 'summary';
  }
}

/** With their counts. */
export function tabsOf(detail: TaskDetail | null) {
  const count = (of: number | undefined) => (of ? of : undefined);
  return [
    { id: 'summary', label: 'Summary' },
    { id: 'payload', label: 'Payload' },
    { id: 'attempts', label: 'Attempts', note: count(detail === null ? 0 : attemptsOf(detail.history).length) },
    { id: 'logs', label: 'Logs', note: count(detail?.logs.length) },
    { id: 'events', label: 'Events' },
    { id: 'related', label: 'Related' },
  ] as const;
}
