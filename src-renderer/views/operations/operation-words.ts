/** What is said of an operation: its state, its selection, what can be done with it. Pure. */
import type { Operation, OperationState } from '#queue/contract/operation';
import { plural } from '../../format';
import { filterText } from '../../stores/selection-text';

export const STATE_WORDS: Record<OperationState, string> = {
  planned: 'Planned',
  canary: 'Canary',
  running: 'Running',
  paused: 'Paused',
  done: 'Done',
  aborted: 'Aborted',
};

/** The query it was started with; of ids only their number is kept. */
export const selectionOf = ({ filter, matched }: Operation): string =>
  filter === null ? `${plural(matched, 'task')} by id` : filterText(filter) || 'every task';

/** `priority 8` belongs to the action. */
export const actionNote = ({ priority }: Operation): string => (priority === null ? '' : ` to priority ${priority}`);
