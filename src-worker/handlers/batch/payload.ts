/** What a task of type batch_processing says: items, and what is done with each. */

import { z } from 'zod';
import { Priority, QueueName, TaskType } from '#queue/contract/primitives';
import { MaxRetries, Name, Payload, Timeout } from '#queue/contract/task';

export const MAX_ITEMS = 10_000;

/** An item that says itself what it is; for batches of tasks of several types. */
export const TaskItem = z.strictObject({
  task_type: TaskType,
  payload: Payload.optional(),
  name: Name.optional(),
  queue: QueueName.optional(),
  priority: Priority.optional(),
});
export type TaskItem = z.output<typeof TaskItem>;

export const BatchPayload = z
  .strictObject({
    items: z
      .array(z.json())
      .max(MAX_ITEMS)
      .describe('Each becomes a task of its own; without `task_type`, each is { task_type, payload } itself'),
    task_type: TaskType.optional().describe('Of the tasks'),
    payload: Payload.optional().describe('Fields that every task gets; those of an item win'),
    payload_template: Payload.optional().describe(
      'The payload of each task, with "{{item}}", "{{item.field}}" and "{{index}}" filled in; default: the item itself',
    ),
    item_field: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/)
      .optional()
      .describe('Under which name an item that is no object stands in the payload; default "item"'),
    queue: QueueName.optional().describe('Of the tasks; default the queue of the batch'),
    priority: Priority.optional().describe('Of the tasks; default that of the batch'),
    max_retries: MaxRetries.optional().describe('Of each task'),
    timeout: Timeout.optional().describe('Of each task, seconds'),
    max_failures: z
      .int()
      .min(0)
      .max(MAX_ITEMS)
      .optional()
      .describe('Tasks that may fail without the batch failing; default 0'),
  })
  .superRefine(({ items, task_type }, context) => {
    if (task_type !== undefined) return;
    const bad = items.findIndex((item) => !TaskItem.safeParse(item).success);
    if (bad >= 0)
      context.addIssue({
        code: 'custom',
        path: ['items', bad],
        message: 'give `task_type`, or make every item { task_type, payload }',
      });
  });
export type BatchPayload = z.output<typeof BatchPayload>;
