/** A whole worker over the engine in memory, with the test's clock and the test's handlers. */
import { afterEach } from 'vitest';
import { systemClock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import { TaskArtifacts } from '#worker/artifacts';
import { WorkerConfig, type WorkerConfigInput } from '#worker/config';
import type { AnyHandler, HandlerContext, TaskAccess } from '#worker/handler';
import { HeldView } from '#worker/held-table';
import { LeaseBeat, type LeaseBeatDeps } from '#worker/lease-beat';
import { Registry, toTaskHandler } from '#worker/registry';
import { Worker, type WorkerDeps } from '#worker/worker';
import { FakeDirectory } from './fake-directory';
import { FakeEngine, type FakeTask } from './fake-engine';
import { ManualClock, turn } from './manual-clock';

export type RunJob = (context: HandlerContext<unknown>) => unknown;

export interface LogRecord {
  level: 'debug' | 'info' | 'warn' | 'error';
  message: string;
  fields: Record<string, unknown>;
}

export function recordingLog(records: LogRecord[]): Log {
  const at =
    (level: LogRecord['level']) =>
    (message: string, fields: Record<string, unknown> = {}) =>
      void records.push({ level, message, fields });
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log };
  return log;
}

const noTasks: TaskAccess = {
  submit: () => Promise.reject(new Error('not in this test')),
  states: () => Promise.reject(new Error('not in this test')),
  cancel: () => Promise.reject(new Error('not in this test')),
  statistics: () => Promise.reject(new Error('not in this test')),
};

export interface WorldOptions {
  /** Handler of the type `job`. */
  run?: RunJob;
  handlers?: readonly AnyHandler[];
  config?: Partial<WorkerConfigInput>;
}

/** The lease keeper in this thread, not in one of its own. */
export function beatHere(
  config: WorkerConfig,
  deps: Pick<LeaseBeatDeps, 'engine' | 'directory' | 'clock' | 'log'>,
): WorkerDeps['beatRunner'] {
  return (table) => {
    let beat: LeaseBeat | undefined;
    return {
      start: async (events) => {
        const view = new HeldView(table.memory);
        beat = new LeaseBeat({ ...deps, view, events, leaseMs: config.leaseMs, maxBlockMs: config.maxBlockMs });
        await beat.start();
      },
      post: () => undefined,
      stop: async () => beat?.stop(),
    };
  };
}

export function workerWorld({ run = () => 'done', handlers = [], config = {} }: WorldOptions = {}) {
  const clock = new ManualClock();
  const engine = new FakeEngine(clock);
  const directory = new FakeDirectory();
  const logs: LogRecord[] = [];
  const log = recordingLog(logs);
  const all: AnyHandler[] = [{ type: 'job', run }, ...handlers];
  const registry = new Registry(
    all.map((handler) =>
      toTaskHandler({ handler, source: 'test', folder: '/' }, () => Promise.reject(new Error('no programs here'))),
    ),
  );
  const checked = WorkerConfig.parse({ redis: null, artifactsDir: '/nowhere', concurrency: 4, ...config });
  const stopsAsked: number[] = [];
  const worker = new Worker({
    id: 'w-test',
    config: checked,
    engine,
    directory,
    registry,
    beatRunner: beatHere(checked, { engine, directory, clock, log }),
    clock,
    log,
    random: () => 0.5,
    artifactsFor: (task, signal) => new TaskArtifacts('/nowhere', task.id, signal),
    tasksFor: () => noTasks,
    onStopAsked: () => void stopsAsked.push(clock.now()),
  });
  return { clock, engine, directory, logs, worker, registry, stopsAsked };
}

/** Lets real turns of the event loop pass until it holds. @throws where it does not within 2 s of real time */
export async function eventually(holds: () => boolean, what = 'the condition'): Promise<void> {
  const until = systemClock.monotonic() + 2_000;
  while (!holds()) {
    if (systemClock.monotonic() > until) throw new Error(`${what} did not come true`);
    await turn();
  }
}

/** Turns of the event loop in which everything that can happen without time passing has happened. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 30; i++) await turn();
}

/** For a test file: starts workers that are stopped after their test. */
export function workerWorlds() {
  const ends: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  const running = async (options: WorldOptions = {}) => {
    const world = workerWorld(options);
    await world.worker.start();
    ends.push(async () => {
      const stopped = world.worker.stopNow();
      for (let i = 0; i < 10; i++) await world.clock.advance(5_000);
      await stopped;
    });
    return world;
  };
  /** Runs one task and waits until it is settled. */
  const ended = async (options: WorldOptions, task: Partial<FakeTask> = {}): Promise<FakeTask> => {
    const { engine } = await running(options);
    const added = engine.add(task);
    await eventually(() => added.settle !== null, 'the settle');
    return added;
  };
  return { running, ended, atEnd: (end: () => Promise<void> | void) => void ends.push(end) };
}

/** A handler that runs until the test lets it go. */
export function held() {
  const waiting: (() => void)[] = [];
  let most = 0;
  let now = 0;
  return {
    run: async () => {
      now++;
      most = Math.max(most, now);
      await new Promise<void>((go) => waiting.push(go));
      now--;
    },
    release: (count = waiting.length) => {
      for (const go of waiting.splice(0, count)) go();
    },
    get running() {
      return now;
    },
    get most() {
      return most;
    },
  };
}
