/** Bulk work on a selection of tasks: planned as a snapshot of ids, carried out in chunks by the server. */
import { z } from 'zod';
import { LIMITS } from './limits';
import { Count, Priority, TaskId, Time } from './primitives';
import { Task, TaskFilter } from './task';

export const OPERATION_ACTIONS = ['requeue', 'cancel', 'delete', 'reprioritise'] as const;
export type OperationAction = (typeof OPERATION_ACTIONS)[number];
export const OPERATION_STATES = ['planned', 'canary', 'running', 'paused', 'done', 'aborted'] as const;
export type OperationState = (typeof OPERATION_STATES)[number];

const selectionShape = {
  ids: z.array(TaskId).min(1).max(10_000).optional(),
  filter: TaskFilter.optional(),
  dry_run: z.boolean().default(false).describe('Answers what would be done; nothing changes'),
  limit: z.int().min(1).max(LIMITS.operationIds).optional(),
  rate: z.number().min(0.01).max(100_000).optional().describe('Tasks a second'),
  canary: z.int().min(1).max(1000).optional().describe('Do so many first, go on only if all of them complete'),
  expected_count: Count.optional().describe('Refuse with 409 where the selection differs by more than 10 %'),
};
const oneSelection = (value: { ids?: unknown; filter?: unknown }) =>
  (value.ids === undefined) !== (value.filter === undefined);
const ONE_SELECTION = { path: ['filter'], message: 'give either ids or a filter' };

export const DlqRequeue = z.strictObject(selectionShape).refine(oneSelection, ONE_SELECTION).meta({ id: 'DlqRequeue' });
export const DlqPurge = z
  .strictObject({
    ...selectionShape,
    confirm: z.literal(true, { message: 'must be true: a purge cannot be taken back' }),
  })
  .refine(oneSelection, ONE_SELECTION)
  .meta({ id: 'DlqPurge' });
export const StartOperation = z
  .strictObject({
    ...selectionShape,
    action: z.enum(OPERATION_ACTIONS),
    priority: Priority.optional().describe('For reprioritise'),
    confirm: z.literal(true).optional().describe('For delete'),
  })
  .refine(oneSelection, ONE_SELECTION)
  .refine((value) => value.action !== 'reprioritise' || value.priority !== undefined, {
    path: ['priority'],
    message: 'is required to reprioritise',
  })
  .refine((value) => value.action !== 'delete' || value.confirm === true || value.dry_run, {
    path: ['confirm'],
    message: 'must be true: a delete cannot be taken back',
  })
  .meta({ id: 'StartOperation' });
export type StartOperation = z.infer<typeof StartOperation>;

export const DryRun = z
  .object({
    matched: Count,
    by_queue: z.record(z.string(), Count),
    by_task_type: z.record(z.string(), Count),
    by_error: z.record(z.string(), Count),
    samples: z.array(Task),
  })
  .meta({ id: 'DryRun' });
export type DryRun = z.infer<typeof DryRun>;

export const OperationItem = z.object({
  id: TaskId,
  outcome: z.enum(['skipped', 'failed']),
  detail: z.string().describe('Why'),
});
export type OperationItem = z.infer<typeof OperationItem>;

export const Operation = z
  .object({
    id: z.string(),
    action: z.enum(OPERATION_ACTIONS),
    filter: TaskFilter.nullable(),
    state: z.enum(OPERATION_STATES),
    matched: Count,
    done: Count,
    skipped: Count.describe('Not in a state that allows it any more'),
    failed: Count,
    rate: z.number().nullable(),
    priority: Priority.nullable(),
    started_at: Time,
    finished_at: Time.nullable(),
    by: z.string(),
    message: z.string().nullable(),
    eta_seconds: z
      .number()
      .nullable()
      .describe(
        'Until it is done, at its rate or at the pace it keeps; null where neither is known, or it does not run',
      ),
    recent: z
      .array(OperationItem)
      .max(LIMITS.operationRecent)
      .optional()
      .describe('The newest that were skipped or failed; in the answer for one operation, not in lists'),
  })
  .meta({ id: 'Operation' });
export type Operation = z.infer<typeof Operation>;

export const AuditEntry = z
  .object({
    id: z.string(),
    at: Time,
    by: z.string(),
    action: z.string(),
    target: z.string(),
    detail: z.string().nullable(),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof AuditEntry>;
