/** Values of a field that the console knows already, with counts where it knows them. Pure. */
import { TASK_STATUSES } from '#queue/contract/lifecycle';
import type { Queue, StatsOverview } from '#queue/contract/queue';
import type { TaskTypeInfo, Worker } from '#queue/contract/worker';
import type { KnownValue } from './complete-query';
import type { FieldName } from './fields';

export interface Known {
  readonly stats: StatsOverview | null;
  readonly queues: readonly Queue[];
  readonly workers: readonly Worker[];
  readonly taskTypes: readonly TaskTypeInfo[];
}

const TIMES = ['>-15m', '>-1h', '>-24h', '>-7d', '<-1h'];
const PRIORITIES = 10;

export function knownValues(field: FieldName | null, known: Known): KnownValue[] {
  switch (field) {
    case 'state':
      return TASK_STATUSES.map((value) => ({ value, count: known.stats?.[value] ?? null }));
    case 'queue':
      return known.queues
        .map(({ name, depth }) => ({
          value: name,
          count: TASK_STATUSES.reduce((sum, status) => sum + depth[status], 0),
        }))
        .sort((a, b) => b.count - a.count);
    case 'type':
      return known.taskTypes.map(({ task_type }) => ({ value: task_type, count: null }));
    case 'worker':
      return known.workers.map(({ id }) => ({ value: id, count: null }));
    case 'created':
      return TIMES.map((value) => ({ value, count: null }));
    case 'priority':
      return Array.from({ length: PRIORITIES }, (_, n) => ({ value: String(PRIORITIES - n), count: null }));
    default:
      return [];
  }
}
