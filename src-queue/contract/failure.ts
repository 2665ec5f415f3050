/** The dead-letter queue seen by cause: failures with the same fingerprint, and what their tasks have in common. */
import { z } from 'zod';
import { LIMITS } from './limits';
import { Count, Json, TaskId, Time } from './primitives';

export const StackFrame = z
  .object({
    text: z.string(),
    function: z.string().nullable(),
    file: z.string().nullable(),
    line: Count.nullable(),
    in_app: z.boolean().describe('Neither of Node itself, nor below node_modules, nor of Millrace around the handler'),
  })
  .meta({ id: 'StackFrame' });
export type StackFrame = z.infer<typeof StackFrame>;

const groupShape = {
  fingerprint: z.string(),
  error: z.string().describe('Class and message of the newest'),
  message: z
    .string()
    .describe('What the messages share: ids, paths and numbers that differ in those looked at are ‹id›, ‹path›, ‹n›'),
  top_frame: StackFrame.nullable().describe('Where the program itself was: the first frame that is in_app'),
  task_type: z.string(),
  queues: z.array(z.string()),
  count: Count,
  first_at: Time,
  last_at: Time,
  sample_ids: z.array(TaskId),
};

export const FailureGroup = z
  .object({
    ...groupShape,
    series_24h: z
      .array(Count)
      .length(24)
      .nullable()
      .describe(
        `Entries into the dead-letter queue by hour, the last one is this hour, of the newest ${LIMITS.groupListSample} tasks in each queue that are still there; null after the first ${LIMITS.groupsCharted} groups`,
      ),
    sampled: Count.describe('Tasks that series_24h counts'),
  })
  .meta({ id: 'FailureGroup' });
export type FailureGroup = z.infer<typeof FailureGroup>;

const Series = z.object({
  from: Time.describe('Where the first step begins'),
  step: z.number().describe('Seconds'),
  counts: z.array(Count).describe('Oldest first; the last step is the present one'),
});

/** What the payloads compared have at one place. */
export const PayloadPath = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('same'),
      path: z.string(),
      present_in: Count,
      value: Json,
      cut: z.boolean().describe('The value is long: its beginning, as text'),
    }),
    z.object({ kind: z.literal('different'), path: z.string(), present_in: Count, distinct: Count }),
    z.object({
      kind: z.literal('number_range'),
      path: z.string(),
      present_in: Count,
      distinct: Count,
      min: z.number(),
      median: z.number(),
      max: z.number(),
    }),
  ])
  .meta({ id: 'PayloadPath' });
export type PayloadPath = z.infer<typeof PayloadPath>;

export const FailureGroupDetail = z
  .object({
    ...groupShape,
    series: z.object({
      minutes: Series.describe('The last 30 minutes'),
      hours: Series.describe('The last 24 hours'),
      sampled: Count.describe(`Tasks counted: the newest ${LIMITS.groupSample} in each queue that are still there`),
    }),
    compared: Count.describe(`Tasks that what follows is made of, the newest, at most ${LIMITS.groupCompared}`),
    workers: z
      .array(
        z.object({
          worker_id: z.string(),
          host: z.string().nullable().describe('Null where it is gone'),
          count: Count,
        }),
      )
      .describe('Where the last attempts ran, most first'),
    attempts: z
      .array(z.object({ attempts: Count, most: Count.describe('Executions allowed'), count: Count }))
      .describe('Executions when they failed for good, most frequent first'),
    stack: z.array(StackFrame).describe('Of the newest task'),
    stacks_equal: Count.describe('Of the tasks compared, those whose top_frame is the same'),
    payload: z.array(PayloadPath).describe('By path, two levels deep'),
    payloads: Count.describe('Payloads compared; one that is very long is left out'),
    last_success: z
      .object({ id: TaskId, finished_at: Time })
      .nullable()
      .describe(
        `The newest completed task of this type among the newest ${LIMITS.lastSuccessScan} completed of each of its queues`,
      ),
  })
  .meta({ id: 'FailureGroupDetail' });
export type FailureGroupDetail = z.infer<typeof FailureGroupDetail>;
