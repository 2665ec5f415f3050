/**
 * Records flow through stages in batches. A stage gives on what it can at once, and at the end what it had to keep;
 * what it keeps is bounded, and a task that needs more fails with an error that names the bound.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Row } from '../records/row';

export interface Stage {
  push(rows: readonly Row[]): Row[];
  /** What is left when the input has ended, in batches. */
  end(): Iterable<Row[]>;
}

/**
 * Pulls batches through the stages. Between batches other work of the process gets its turn.
 * @throws the signal's reason, once it is aborted
 */
export async function* runStages(
  batches: AsyncIterable<Row[]>,
  stages: readonly Stage[],
  signal: AbortSignal,
): AsyncGenerator<Row[]> {
  for await (const batch of batches) {
    signal.throwIfAborted();
    const rows = passThrough(stages, 0, batch);
    if (rows.length > 0) yield rows;
  }
  for (const [index, stage] of stages.entries()) {
    for (const batch of stage.end()) {
      await nextTurn();
      signal.throwIfAborted();
      const rows = passThrough(stages, index + 1, batch);
      if (rows.length > 0) yield rows;
    }
  }
}

function passThrough(stages: readonly Stage[], from: number, batch: Row[]): Row[] {
  let rows = batch;
  for (let i = from; i < stages.length && rows.length > 0; i++) rows = stages[i]?.push(rows) ?? rows;
  return rows;
}

/** A stage that looks at each record alone, and keeps nothing. */
export const eachRow = (change: (rows: readonly Row[]) => Row[]): Stage => ({ push: change, end: () => [] });
