/** A worker over a real engine, with connections of its own. */
import type { ConnectedEngine } from '#queue/engine/connect';
import { toTaskSpec } from '#queue/engine/task-spec';
import { systemClock } from '#queue/kernel/clock';
import { TaskArtifacts } from '#worker/artifacts';
import { WorkerConfig, type WorkerConfigInput } from '#worker/config';
import type { AnyHandler } from '#worker/handler';
import { Registry, toTaskHandler } from '#worker/registry';
import { TaskAccessOverPorts } from '#worker/task-access';
import { Worker } from '#worker/worker';
import { beatHere, type LogRecord, recordingLog } from './worker-world';

let workers = 0;

/** @param own is closed with the worker */
export async function startWorker(
  own: ConnectedEngine,
  handlers: readonly AnyHandler[],
  config: Partial<WorkerConfigInput> & { artifactsDir: string },
) {
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
