/** A worker over a real engine, with connections of its own. */
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { ConnectedEngine } from '#queue/engine/connect';
import { toTaskSpec } from '#queue/engine/task-spec';
import { systemClock } from '#queue/kernel/clock';
import { TaskArtifacts } from '#worker/artifacts';
import { WorkerConfig, type WorkerConfigInput } from '#worker/config';
import type { AnyHandler } from '#worker/handler';
import { Registry, toTaskHandler } from '#worker/registry';
import { TaskAccessOverPorts } from '#worker/task-access';
import { Worker } from '#worker/worker';
import { connectTo } from './engine';
import { present } from './present';
import { type RedisServer, startRedis } from './redis-server';
import { beatHere, type LogRecord, recordingLog } from './worker-world';

let workers = 0;

type WorkerOptions = Partial<WorkerConfigInput> & { artifactsDir: string };

/** @param own is closed with the worker */
async function startWorker(own: ConnectedEngine, handlers: readonly AnyHandler[], config: WorkerOptions) {
  await own.whenReady(5_000);
  const logs: LogRecord[] = [];
  const log = recordingLog(logs);
  const checked = WorkerConfig.parse({ redis: null, concurrency: 5, leaseMs: 2_000, ...config });
  const { artifactsDir } = config;
  const { engine, reader, directory } = own;
  const access = { engine, reader, toSpec: toTaskSpec, defaults: checked.taskDefaults };
  const worker = new Worker({
    id: `w-${++workers}-${Math.floor(systemClock.now() % 1e6)}`,
    config: checked,
    engine,
    directory,
    registry: new Registry(
      handlers.map((handler) => toTaskHandler({ handler, source: 'test', folder: artifactsDir }, async () => null)),
    ),
    beatRunner: beatHere(checked, { engine, directory, clock: systemClock, log }),
    clock: systemClock,
    log,
    random: () => 0.5,
    artifactsFor: (task, signal) => new TaskArtifacts(artifactsDir, task.id, signal),
    tasksFor: (task) => new TaskAccessOverPorts(access, task.owner),
    onStopAsked: () => void worker.stop(),
  });
  await worker.start();
  await own.upkeep.start();
  const end = async () => {
    await worker.stopNow();
    await own.close();
  };
  return { worker, logs, own, end };
}

/** For a test file: one Redis, emptied for each test, and workers that end with their test. */
export function workersOfFile() {
  let server: RedisServer | undefined;
  let connected: ConnectedEngine | undefined;
  const ends: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    connected = connectTo(present(server));
    await connected.whenReady(5_000);
    await connected.store.command('flush', (redis) => redis.flushall());
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
    await connected?.close();
  });
  return {
    get server() {
      return present(server);
    },
    /** Looks on from beside. */
    get connected() {
      return present(connected);
    },
    start: async (handlers: readonly AnyHandler[], config: WorkerOptions) => {
      const started = await startWorker(connectTo(present(server), { name: 'worker' }), handlers, config);
      ends.push(started.end);
      return started;
    },
  };
}
