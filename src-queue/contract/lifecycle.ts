/**
 * The life of a task as a table: which event moves it from where to where.
 * docs/state-machine.md is printed from this table, and a test runs every script
 * from every state and asserts that the move stands here.
 */
export const TASK_STATUSES = [
  'scheduled',
  'blocked',
  'pending',
  'processing',
  'retrying',
  'completed',
  'failed',
  'cancelled',
] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** Statuses that a task leaves only by an operator's requeue. `failed` is the dead-letter queue. */
export const FINAL_STATUSES = ['completed', 'failed', 'cancelled'] as const satisfies readonly TaskStatus[];
export const isFinal = (status: TaskStatus): boolean => (FINAL_STATUSES as readonly TaskStatus[]).includes(status);

/** Names of what happens to a task: on the event stream, in its history and over WebSocket. */
export const TASK_EVENTS = [
  'created',
  'promoted',
  'unblocked',
  'started',
  'progress',
  'completed',
  'retrying',
  'failed',
  'cancelled',
  'released',
  'snoozed',
  'lease_lost',
  'expired',
  'requeued',
  'updated',
  'removed',
] as const;
export type TaskEvent = (typeof TASK_EVENTS)[number];

export interface Transition {
  readonly event: TaskEvent;
  readonly from: TaskStatus | 'none';
  readonly to: TaskStatus | 'none';
  /** When it happens, in words for the docs. */
  readonly when: string;
}

const move = (event: TaskEvent, from: Transition['from'], to: Transition['to'], when: string): Transition => ({
  event,
  from,
  to,
  when,
});

export const TRANSITIONS: readonly Transition[] = [
  move('created', 'none', 'pending', 'submitted, ready to run'),
  move('created', 'none', 'scheduled', 'submitted with a run_at in the future'),
  move('created', 'none', 'blocked', 'submitted with unfinished depends_on'),
  move('promoted', 'scheduled', 'pending', 'run_at has come'),
  move('promoted', 'retrying', 'pending', 'the back-off is over'),
  move('unblocked', 'blocked', 'pending', 'the last dependency completed'),
  move('unblocked', 'blocked', 'scheduled', 'the last dependency completed before run_at'),
  move('failed', 'blocked', 'failed', 'a dependency failed, was cancelled or removed'),
  move('started', 'pending', 'processing', 'a worker claimed it'),
  move('started', 'scheduled', 'processing', 'it came due and was claimed in the same call'),
  move('started', 'retrying', 'processing', 'it came due and was claimed in the same call'),
  move('progress', 'processing', 'processing', 'the handler reported progress'),
  move('completed', 'processing', 'completed', 'the handler returned'),
  move('retrying', 'processing', 'retrying', 'the attempt failed, another one is left'),
  move('failed', 'processing', 'failed', 'the last attempt failed, or it failed for good'),
  move('cancelled', 'processing', 'cancelled', 'cancelled while it ran'),
  move('released', 'processing', 'pending', 'handed back by a worker that stops; costs no attempt'),
  move('snoozed', 'processing', 'scheduled', 'the handler asked to go on later; costs no attempt'),
  move('lease_lost', 'processing', 'pending', 'its worker died or lost its lease; the attempt counts'),
  move('failed', 'processing', 'failed', 'its worker died in the last attempt'),
  move('expired', 'pending', 'failed', 'expires_at passed before it started'),
  move('expired', 'scheduled', 'failed', 'expires_at passed before it started'),
  move('expired', 'retrying', 'failed', 'expires_at passed before it started'),
  move('expired', 'blocked', 'failed', 'expires_at passed before it started'),
  move('cancelled', 'scheduled', 'cancelled', 'cancelled before it ran'),
  move('cancelled', 'blocked', 'cancelled', 'cancelled before it ran'),
  move('cancelled', 'pending', 'cancelled', 'cancelled before it ran'),
  move('cancelled', 'retrying', 'cancelled', 'cancelled between two attempts'),
  move('requeued', 'failed', 'pending', 'an operator requeued it'),
  move('requeued', 'cancelled', 'pending', 'an operator requeued it'),
  ...(['scheduled', 'blocked', 'pending', 'retrying', 'completed', 'failed', 'cancelled'] as const).map((from) =>
    move('removed', from, 'none', 'deleted, purged, or past its retention'),
  ),
  ...(['scheduled', 'blocked', 'pending', 'retrying'] as const).map((from) =>
    move('updated', from, from, 'changed by an operator'),
  ),
];
