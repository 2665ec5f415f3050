/** What a worker process tells the pool that runs it, over the IPC channel. */
import { z } from 'zod';

/** A task as a crash record names it. */
const RunningTask = z.object({ id: z.string(), task_type: z.string() });
export type RunningTask = z.infer<typeof RunningTask>;

export const ChildMessage = z.discriminatedUnion('type', [
  /** It serves its queues now. */
  z.object({ type: z.literal('ready'), workerId: z.string() }),
  /** The set of tasks that it runs has changed. */
  z.object({ type: z.literal('running'), tasks: z.array(RunningTask) }),
  /** It goes on when we end. */
  z.object({ type: z.literal('detached') }),
]);
export type ChildMessage = z.infer<typeof ChildMessage>;
