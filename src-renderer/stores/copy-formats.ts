/** A task as text for elsewhere. Pure. */
import type { SubmitTaskInput, Task } from '#queue/contract/task';

/** One word for a POSIX shell, whatever is in it. */
export const shellQuote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The task once more: what was asked for, without what only the first may have (keys, times that have passed). */
export const againOf = (task: Task): SubmitTaskInput => ({
  task_type: task.task_type,
  queue: task.queue,
  priority: task.priority,
  ...(task.name === null ? {} : { name: task.name }),
  payload: task.payload ?? {},
  max_retries: task.max_retries,
  timeout: task.timeout,
  backoff: task.backoff,
  ...(task.tags.length === 0 ? {} : { tags: task.tags }),
});

/**
 * Submits it again. @param payloadText the payload as it was written: numbers keep their digits
 * @param token whether the server wants one; it is read from the shell, never copied
 */
export function curlOf(task: Task, payloadText: string, baseUrl: string, token: boolean): string {
  const { payload: _, ...rest } = againOf(task);
  const body = `${JSON.stringify(rest).slice(0, -1)},"payload":${payloadText}}`;
  return [
    `curl -X POST ${shellQuote(new URL('api/tasks', baseUrl).href)}`,
    ...(token ? [`-H "Authorization: Bearer $MILLRACE_TOKEN"`] : []),
    `-H 'Content-Type: application/json'`,
    `-d ${shellQuote(body)}`,
  ].join(' \\\n  ');
}
