/** A claimed task as its worker gets it: by the answer to a call, or from the list of tasks that are handed over. */
import type { ClaimedRecord } from '../redis/scripts/work';
import { decodeRecord } from '../redis/task-record';
import type { ClaimedTask } from './ports';

/** @param queue the physical one @param startedAt Unix ms on the clock of Redis */
export function claimedTask(queue: string, { id, token, record }: ClaimedRecord, startedAt: number): ClaimedTask {
  const task = decodeRecord(record);
  return {
    id,
    token,
    queue,
    type: task.type,
    name: task.name,
    priority: task.priority,
    attempt: task.attemptsEnded + 1,
    maxAttempts: task.maxAttempts,
    timeoutMs: task.timeoutMs,
    backoff: task.backoff,
    createdAt: task.createdAt,
    startedAt,
    tags: task.tags,
    owner: task.owner,
    payload: task.payload,
  };
}
