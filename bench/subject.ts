/**
 * What is compared: a queue system in its own producer (this process) and its own workers (child processes), on a
 * Redis that it shares with the others, emptied between runs.
 */
export interface Subject {
  readonly name: string;
  /** Puts `count` tasks with priorities 1 to 10 in turn and `PAYLOAD` into a queue that stands still. */
  enqueue(count: number, work?: Work): Promise<void>;
  /** Starts the workers, lets them go, and measures until all `count` tasks are recorded as completed. @returns ms */
  process(count: number, crew: Crew): Promise<number>;
  /** One call a task, `inFlight` calls at a time. @returns ms */
  submitSingly(count: number, inFlight: number): Promise<number>;
  /** @returns ms */
  submitInBulk(count: number, chunk: number): Promise<number>;
  /** Tasks one after the other, `gapMs` apart, on an idle queue. @returns ms from submit to the handler's start, each */
  pickup(count: number, gapMs: number): Promise<number[]>;
  close(): Promise<void>;
}

/**
 * What handlers do: nothing; wait for 20 ms; keep the processor busy for 1 ms; throw at the first attempt, and nothing
 * at the second.
 */
export type Work = 'noop' | 'wait' | 'spin' | 'flaky';

export interface Crew {
  /** Of each worker. */
  concurrency: number;
  /** Processes. */
  workers: number;
}

/** About 200 bytes of JSON. */
export const PAYLOAD = {
  user: 'user-000000000001@example.com',
  order: 1_234_567,
  items: ['sku-00001', 'sku-00002', 'sku-00003'],
  note: 'a note of some length, as payloads have them in real life, so that bytes count',
  flag: true,
} as const;

export const priorityOf = (index: number): number => (index % 10) + 1;

/** Polls until `done` says so; counts the time from the call on. @returns ms */
export async function until(done: () => Promise<boolean>, timeoutMs = 180_000): Promise<number> {
  const start = performance.now();
  while (!(await done())) {
    if (performance.now() - start > timeoutMs) throw new Error('the run did not end in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - start;
}

/** Of `count` calls, one after the other. @returns ms of each */
export async function timesOf(count: number, call: (index: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    await call(index);
    times.push(performance.now() - start);
  }
  return times;
}

/** Runs `count` calls, `inFlight` at a time. @returns ms */
export async function inTurn(
  count: number,
  inFlight: number,
  call: (index: number) => Promise<unknown>,
): Promise<number> {
  const start = performance.now();
  let next = 0;
  const lane = async () => {
    while (next < count) await call(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return performance.now() - start;
}
