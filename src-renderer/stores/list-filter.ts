/** Some failed tasks, as the requeue dialog names them; empty text means any. */
import type { TaskStatus } from '#queue/contract/lifecycle';
import type { TaskFilter } from '#queue/contract/task';

export interface ListFilter {
  status: TaskStatus | '';
  queue: string;
  type: string;
  /** Id, name or text in the payload. */
  text: string;
}

export const NO_FILTER: ListFilter = { status: '', queue: '', type: '', text: '' };

export function toQuery(filter: ListFilter): TaskFilter {
  return {
    ...(filter.status === '' ? {} : { status: filter.status }),
    ...(filter.queue === '' ? {} : { queue: filter.queue }),
    ...(filter.type === '' ? {} : { task_type: filter.type }),
    ...(filter.text === '' ? {} : { q: filter.text }),
  };
}
