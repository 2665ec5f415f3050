/**
 * A worker as a process: builds it, starts it, and ends it on a signal. Used by the worker program that pools fork
 * (src-worker/index.ts) and by `millrace --worker`.
 *
 * SIGTERM and SIGINT stop gracefully, a second one at once; SIGTSTP and SIGUSR1 quiet; so does the loss of the parent
 * process stop it, unless that has asked it to go on alone. Exit codes: 0 stopped, 1 an exception nobody caught, 2 handlers that cannot be used, 3 no Redis, or one whose layout this version does not know,
 * 130 and 143 a second SIGINT or SIGTERM.
 */
import { QueueError } from '#queue/contract/errors';
import type { SubmitTask } from '#queue/contract/task';
import type { TaskSpec } from '#queue/engine/ports';
import { systemClock } from '#queue/kernel/clock';
import { random, randomName } from '#queue/kernel/ids';
import { createLog, type Log } from '#queue/kernel/log';
import { StopWishes } from '#queue/kernel/stop-wishes';
import { TaskArtifacts } from './artifacts';
import { builtInSurroundings } from './built-in-surroundings';
import { WorkerConfig, type WorkerConfigInput } from './config';
import { installCrashPolicy } from './crash-policy';
import type { EngineConnection } from './engine-connection';
import { describeThrown } from './error-report';
import { ExecRunner } from './exec-runner';
import type { AnyHandler, BuiltInConfig } from './handler';
import { loadHandlers } from './loader';
import * as millrace from './millrace';
import { ParentLink, parentChannel } from './parent-link';
import { type HandlerSource, Registry, toTaskHandler } from './registry';
import { TaskAccessOverPorts, type TaskDefaults } from './task-access';
import { ThreadedBeat } from './threaded-beat';
import { Worker } from './worker';

/** What the entry binds the worker to. */
export interface WorkerRuntime {
  connect: (redis: unknown, log: Log, name: string) => Promise<EngineConnection>;
  toTaskSpec: (task: SubmitTask, defaults: TaskDefaults) => TaskSpec;
  builtIns: (surroundings: BuiltInConfig) => readonly AnyHandler[];
  /** Path of the built src-worker/lease-entry.ts. */
  leaseThread: string;
  /** Of this process; exec handlers get PATH, HOME, LANG and TMPDIR of it. */
  environment: Readonly<Record<string, string | undefined>>;
}

/** Runs a worker until it is told to stop. @returns the exit code; the caller ends the process */
export async function runWorker(input: WorkerConfigInput, runtime: WorkerRuntime): Promise<number> {
  const config = WorkerConfig.parse(input);
  const id = config.workerId ?? randomName('w');
  const log = createLog(config.log, { worker: id });
  const programs = new ExecRunner({ clock: systemClock, environment: runtime.environment });
  let registry: Registry;
  try {
    registry = await buildRegistry(config, runtime, programs);
  } catch (error) {
    log.error(describeThrown(error).message, { error });
    return 2;
  }
  let connection: EngineConnection;
  try {
    connection = await runtime.connect(config.redis, log, id);
  } catch (error) {
    const told = error instanceof QueueError && error.code === 'STORE_LAYOUT'; // by the store, as it looked
    if (!told) log.error('Redis cannot be reached', { error });
    return 3;
  }
  try {
    return await serve({ id, config, log, registry, connection, programs, runtime });
  } finally {
    programs.killAll();
    await connection.close().catch((error: unknown) => log.warn('the connection to Redis was not closed', { error }));
  }
}

async function buildRegistry(config: WorkerConfig, runtime: WorkerRuntime, programs: ExecRunner): Promise<Registry> {
  const builtIns = runtime.builtIns(builtInSurroundings(config));
  const loaded = await loadHandlers(config.handlers, { millrace });
  const sources: HandlerSource[] = [
    ...builtIns.map((handler) => ({ handler, source: 'built in', folder: config.artifactsDir })),
    ...loaded.map(({ handler, file, folder }) => ({ handler, source: file, folder })),
  ];
  return new Registry(sources.map((source) => toTaskHandler(source, programs.run)));
}

interface Serving {
  id: string;
  config: WorkerConfig;
  log: Log;
  registry: Registry;
  connection: EngineConnection;
  programs: ExecRunner;
  runtime: WorkerRuntime;
}

async function serve({ id, config, log, registry, connection, programs, runtime }: Serving): Promise<number> {
  const { engine, reader, directory } = connection;
  const access = { engine, reader, toSpec: runtime.toTaskSpec, defaults: config.taskDefaults };
  const ending = new Ending(log);
  const worker = new Worker({
    id,
    config,
    engine,
    directory,
    registry,
    beatRunner: (table) => {
      const { leaseMs, maxBlockMs, redis } = config;
      const data = { memory: table.memory, leaseMs, maxBlockMs, workerId: id, redis, log: config.log };
      return new ThreadedBeat({ path: runtime.leaseThread, data, clock: systemClock, log });
    },
    clock: systemClock,
    log,
    random,
    artifactsFor: (task, signal) => new TaskArtifacts(config.artifactsDir, task.id, signal),
    tasksFor: (task) => new TaskAccessOverPorts(access, task.owner),
    onStopAsked: () => ending.ask(0),
    onRunning: () => parent.runningChanged(),
  });
  const parent = new ParentLink(parentChannel(), systemClock, () => worker.runningTasks());
  const lastWords = () => {
    programs.killAll();
    const tasks = worker.runningTasks().map((task) => task.id);
    if (tasks.length > 0) log.error('the process ends while tasks run: a handler has ended it', { tasks });
  };
  process.on('exit', lastWords);
  parent.onDetach(() => ending.outliveParent());
  const undo = [
    () => process.off('exit', lastWords),
    installCrashPolicy({ log, blame: (error) => worker.blame(error), onFatal: () => ending.crash() }),
  ];
  ending.listen(() => worker.quiet());
  try {
    await worker.start();
  } catch (error) {
    log.error('the worker could not start', { error });
    for (const step of undo) step();
    return 3;
  }
  await connection.upkeep.start();
  parent.ready(id);
  log.info('working', { queues: config.queues, concurrency: config.concurrency, types: registry.types });
  await ending.asked;
  const atOnce = ending.atOnce.then(() => worker.stopNow());
  await Promise.race([worker.stop(), atOnce]);
  parent.tell();
  for (const step of undo) step();
  return ending.code;
}

/** Who asked the process to end, how urgently, and with which exit code. */
class Ending {
  readonly #log: Log;
  code = 0;
  #alone = false;
  readonly #wishes = new StopWishes(systemClock);
  #ask: () => void = () => undefined;
  #hurry: () => void = () => undefined;
  readonly asked = new Promise<void>((resolve) => {
    this.#ask = resolve;
  });
  readonly atOnce = new Promise<void>((resolve) => {
    this.#hurry = resolve;
  });

  constructor(log: Log) {
    this.#log = log;
  }

  /** @param secondCode the exit code should this be the second time */
  ask(secondCode: number): void {
    if (this.#wishes.next() === 'again') {
      this.code ||= secondCode;
      this.#hurry();
    }
    this.#ask();
  }

  /** The parent ends on purpose: neither its end, nor that of the terminal, nor the loss of our output ends us. */
  outliveParent(): void {
    if (this.#alone) return;
    this.#alone = true;
    process.on('SIGHUP', () => undefined);
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  }

  crash(): void {
    this.code = 1;
    this.#ask();
    this.#hurry();
  }

  /** For good: a signal that comes while the process is on its way out must not end it with another code. */
  listen(quiet: () => void): void {
    const listeners: [string, () => void][] = [
      ['SIGTERM', () => this.ask(143)],
      ['SIGINT', () => this.ask(130)],
      ['SIGTSTP', quiet],
      ['SIGUSR1', quiet],
      [
        'disconnect',
        () => {
          if (this.#alone) return;
          this.#log.info('the parent process is gone');
          this.ask(0);
        },
      ],
    ];
    for (const [name, listener] of listeners) process.on(name, listener);
  }
}
