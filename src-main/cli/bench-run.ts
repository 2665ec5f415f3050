/**
 * The measurements of `millrace bench`, made with the engine itself and without handlers: what the queue costs, not
 * what the tasks cost. They run in a queue with a name of its own, which is empty again afterwards.
 */

import { LIMITS } from '#queue/contract/limits';
import { SubmitTask } from '#queue/contract/task';
import type { TaskEngine, TaskReader, TaskSpec } from '#queue/engine/ports';
import { toTaskSpec } from '#queue/engine/task-spec';
import type { Clock } from '#queue/kernel/clock';
import { randomName } from '#queue/kernel/ids';
import { CliError, EXIT } from './exit';

export interface BenchOptions {
  /** For the throughput. */
  tasks: number;
  /** For the latencies. */
  samples: number;
  /** Tasks in one call of a worker. */
  batch: number;
  payloadBytes: number;
}

/** Milliseconds. */
export interface LatencyReport {
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

export interface BenchReport {
  redis: string;
  redis_version: string;
  tasks: number;
  payload_bytes: number;
  submit_per_second: number;
  work_per_second: number;
  submit_ms: LatencyReport;
  start_ms: LatencyReport;
}

export interface BenchDeps {
  engine: TaskEngine;
  reader: TaskReader;
  clock: Clock;
  signal: AbortSignal;
  /** A line on what is done now. */
  tell: (line: string) => void;
}

const TYPE = 'bench';
/** Calls that are under way at once. */
const LANES = 4;
const LEASE_MS = 60_000;
const SUBMIT_BATCH = 250;

export async function runBench(
  deps: BenchDeps,
  options: BenchOptions,
): Promise<Omit<BenchReport, 'redis' | 'redis_version'>> {
  const queue = randomName('bench');
  const run = new BenchRun(deps, queue, options);
  try {
    return await run.measure();
  } finally {
    await removeAll(deps, queue);
  }
}

class BenchRun {
  readonly #deps: BenchDeps;
  readonly #queue: string;
  readonly #options: BenchOptions;
  readonly #workerId = randomName('bench');
  readonly #spec: TaskSpec;
  #calls = 0;

  constructor(deps: BenchDeps, queue: string, options: BenchOptions) {
    this.#deps = deps;
    this.#queue = queue;
    this.#options = options;
    const payload = { bench: 'x'.repeat(Math.max(0, options.payloadBytes - '{"bench":""}'.length)) };
    const task = SubmitTask.parse({ task_type: TYPE, queue, payload });
    this.#spec = toTaskSpec(task, { maxRetries: 0, timeoutMs: 300_000 });
  }

  async measure(): Promise<Omit<BenchReport, 'redis' | 'redis_version'>> {
    const { tell } = this.#deps;
    const { tasks, payloadBytes } = this.#options;
    await this.#work(0, 1); // connections, scripts, and the compiler are warm
    tell(`submitting ${tasks} tasks`);
    const submitSeconds = await this.#time(() => this.#submitAll(tasks));
    tell(`running ${tasks} tasks`);
    const workSeconds = await this.#time(() => this.#workAll(tasks));
    tell('measuring latencies');
    const submitMs: number[] = [];
    const startMs: number[] = [];
    for (let sample = 0; sample < this.#options.samples; sample++) await this.#oneByOne(submitMs, startMs);
    return {
      tasks,
      payload_bytes: payloadBytes,
      submit_per_second: tasks / submitSeconds,
      work_per_second: tasks / workSeconds,
      submit_ms: summary(submitMs),
      start_ms: summary(startMs),
    };
  }

  async #submitAll(count: number): Promise<void> {
    const batches = Math.ceil(count / SUBMIT_BATCH);
    let next = 0;
    await this.#inLanes(async () => {
      while (next < batches) {
        const size = Math.min(SUBMIT_BATCH, count - next++ * SUBMIT_BATCH);
        await this.#submit(size);
      }
    });
  }

  /** Each lane claims the next batch in the call that completes the one before. */
  async #workAll(count: number): Promise<void> {
    let left = count;
    await this.#inLanes(async (lane) => {
      let held: { id: string; token: string }[] = [];
      while (left > 0 || held.length > 0) {
        const settles = held.map((task) => ({ ...task, kind: 'complete' as const, result: 'null' }));
        const want = Math.min(this.#options.batch, Math.max(0, left));
        const { claimed } = await this.#work(lane, want, settles);
        left -= claimed.length;
        held = claimed.map(({ id, token }) => ({ id, token }));
        if (claimed.length === 0 && settles.length === 0) return;
      }
    });
  }

  /** A worker waits; a task comes; it is claimed. */
  async #oneByOne(submitMs: number[], startMs: number[]): Promise<void> {
    const { engine, clock } = this.#deps;
    this.#stopWhenAsked();
    const enough = new AbortController();
    const worker = (async () => {
      for (;;) {
        await engine.waitForWork(this.#workerId, [this.#queue], 1000, enough.signal);
        this.#stopWhenAsked();
        const { claimed } = await this.#work(0, 1);
        if (claimed[0]) return { task: claimed[0], at: clock.monotonic() };
      }
    })();
    const since = clock.monotonic();
    const submitted = this.#submit(1).then(() => submitMs.push(clock.monotonic() - since));
    const [, { task, at }] = await Promise.all([submitted, worker]).finally(() => enough.abort());
    startMs.push(at - since);
    await this.#work(0, 0, [{ kind: 'complete', id: task.id, token: task.token, result: 'null' }]);
  }

  async #submit(count: number): Promise<void> {
    this.#stopWhenAsked();
    const outcomes = await this.#deps.engine.submitMany(Array.from({ length: count }, () => this.#spec));
    for (const outcome of outcomes) if (!outcome.ok) throw outcome.error;
  }

  #work(lane: number, want: number, settles: Parameters<TaskEngine['work']>[0]['settles'] = []) {
    this.#stopWhenAsked();
    return this.#deps.engine.work({
      queue: this.#queue,
      workerId: this.#workerId,
      lane: String(lane),
      nonce: String(++this.#calls),
      settles,
      want,
      leaseMs: LEASE_MS,
      types: [TYPE],
    });
  }

  async #inLanes(work: (lane: number) => Promise<void>): Promise<void> {
    await Promise.all(Array.from({ length: LANES }, (_, lane) => work(lane)));
  }

  async #time(work: () => Promise<void>): Promise<number> {
    const since = this.#deps.clock.monotonic();
    await work();
    return (this.#deps.clock.monotonic() - since) / 1000;
  }

  #stopWhenAsked(): void {
    if (this.#deps.signal.aborted) throw new CliError(EXIT.interrupted, 'interrupted');
  }
}

async function removeAll({ engine, reader }: BenchDeps, queue: string): Promise<void> {
  for (;;) {
    const ids = await reader.listIds({ queue }, LIMITS.operationChunk * 10);
    const outcomes = ids.length === 0 ? [] : await engine.remove(ids);
    // What runs when it was interrupted cannot be removed: the reaper ends it.
    if (!outcomes.includes('removed')) return;
  }
}

function summary(samples: readonly number[]): LatencyReport {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
