/** A batch is a task whose items are tasks of their own. What connects them, for whoever makes them and whoever ends them. */

export const BATCH_TYPE = 'batch_processing';

/** The tag of every task that a batch has made. */
export const batchTag = (batchId: string): string => `batch:${batchId}`;
